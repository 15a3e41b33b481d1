"""Files that are written whole or not at all."""

import os
import sys

import pytest

from skcifar.files._atomic import replacing


def test_file_is_replaced_when_all_went_well(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as unfinished:
        unfinished.write_text({}["new"])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
def test_file_has_the_rights_of_new_files_and_the_umask_is_never_changed(tmp_path, monkeypatch):
    (tmp_path / "plain").touch()
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("umask was changed"))
    with replacing(tmp_path / "written") as unfinished:
        unfinished.write_text("text")
    rights = [(tmp_path / name).stat().st_mode for name in ("plain", "written")]
    assert rights[0] == rights[1]
