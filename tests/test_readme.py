"""README's Python runs."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, flags=re.DOTALL)
QUICK_BLOCKS = [block for block in BLOCKS if "fetch_cifar10" not in block[0]]


def test_every_python_block_prints_its_output():
    assert README.count("```python\n") == len(BLOCKS) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("code", "output"), QUICK_BLOCKS)
def test_python_block_prints_what_readme_says(code, output, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    # The last digits of an accuracy differ between processors.
    number = r"0\.\d+"
    printed = capsys.readouterr().out
    assert re.sub(number, "#", printed) == re.sub(number, "#", output)
    for reported, seen in zip(re.findall(number, output), re.findall(number, printed), strict=True):
        assert float(seen) == pytest.approx(float(reported), abs=0.03)
