"""What the tests of searches share."""

import pytest


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal.jsonl"
