"""README's and the guide's code runs, and the reference shows every public name."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
from PIL import Image

import skcifar
from skcifar import (
    AbstainingClassifier,
    DenseClassifier,
    PixelScaler,
    ResumableGridSearchCV,
    load_digit_images,
)

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.rst")), *sorted(ROOT.glob("docs/guide/*"))]
BLOCK = {
    ".md": r"(?s)```python\n(.*?)```\n(?:\n```text\n(.*?)```)?",
    ".rst": (
        r"(?m)^\.\. code-block:: python\n\n((?:    .*\n|\n)+)"
        r"(?:\.\. code-block:: text\n\n((?:    .*\n|\n)+))?"
    ),
}
NUMBER = r"0\.\d+"  # the last digits of an accuracy differ between processors


def blocks_of(page):
    """Return code and output of the Python blocks of a page, but for those that need CIFAR-10."""
    found = re.findall(BLOCK[page.suffix], page.read_text(encoding="utf-8"))
    blocks = [(dedent(code), dedent(output).strip()) for code, output in found]
    return [block for block in blocks if "fetch_cifar10" not in block[0]]


def write_pictures(folder):
    """Write the digits as the files that README's reader has: a folder of classes, and new ones."""
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    digits = load_digit_images()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        of_class = folder / "pictures" / names[label]
        of_class.mkdir(parents=True, exist_ok=True)
        for path in (of_class / f"{number:04d}.png", folder / f"{names[label]}.png"):
            Image.fromarray(image).save(path)


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if blocks_of(p)], ids=lambda page: page.stem)
def test_code_of_page_prints_what_the_page_says(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if page.name == "README.md":
        write_pictures(tmp_path)
    namespace = {}
    for code, output in blocks_of(page):
        exec(compile(code, page, "exec"), namespace)
        printed = capsys.readouterr().out.strip()
        assert re.sub(NUMBER, "#", printed) == re.sub(NUMBER, "#", output)
        pairs = zip(re.findall(NUMBER, output), re.findall(NUMBER, printed), strict=True)
        for reported, seen in pairs:
            assert float(seen) == pytest.approx(float(reported), abs=0.03)


@pytest.mark.parametrize("name", skcifar.__all__)
def test_every_public_name_has_an_example(name):
    assert ">>> " in getattr(skcifar, name).__doc__


def test_examples_let_this_package_import_keras():
    """Which then starts quietly; data and transformers need no Keras, and do not import it."""
    texts = [path.read_text(encoding="utf-8") for path in [*PAGES, *ROOT.glob("examples/*.py")]]
    texts += [getattr(skcifar, name).__doc__ for name in skcifar.__all__]
    with_keras = [text for text in texts if "import keras" in text]
    assert with_keras
    for text in with_keras:
        before = text.partition("import keras")[0]
        assert re.search(r"from skcifar import .*(Classifier|make_\w+_pipeline)", before)


@pytest.mark.parametrize(
    "estimator",
    [
        DenseClassifier(),
        PixelScaler(),
        AbstainingClassifier(DenseClassifier()),
        ResumableGridSearchCV(DenseClassifier(), {}),
    ],
)
def test_html_of_an_estimator_links_to_its_page(estimator):
    page = f"https://skcifar.readthedocs.io/en/stable/api/skcifar.{type(estimator).__name__}.html"
    assert f'href="{page}"' in estimator._repr_html_()


def test_html_of_a_class_of_ones_own_links_nowhere():
    class OwnClassifier(DenseClassifier):
        pass

    assert "skcifar.readthedocs.io" not in OwnClassifier()._repr_html_()
