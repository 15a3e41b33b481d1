"""The page of a run: what is on it, what it lists as missing, and how a browser shows it."""

import base64
import json
import os
import re
import shutil
from itertools import product
from pathlib import Path

import html5lib
import pytest
from one_line_errors import error_of
from PIL import Image
from selenium.webdriver.common.by import By

from skcifar.cli._parser import main
from skcifar.files._atomic import write_json
from skcifar.runs._files import RUN_FILES
from skcifar.runs.report import TEMPLATE, write_report

KINDS = ("run", "comparison", "search")
N_PICTURES = sum(name.endswith(".png") for name in RUN_FILES)  # of a run


def write_comparison(folder, *, n_epochs=2, classes=("cat", "dog"), names=("dense", "wide")):
    """Write what ``skcifar compare`` leaves, in a new folder."""
    folder.mkdir(parents=True)
    models = [
        {
            "name": name,
            "file": f"{number}.safetensors",
            "trained_here": True,
            "n_parameters": 1000 * (number + 1),
            "epochs": n_epochs,
            "test_loss": 1.25,
            "test_loss_interval": [1.2, 1.3],
            "test_accuracy": 0.5 + number / 8,
            "test_accuracy_interval": [0.45, 0.7],
            "fit_seconds": 12.5 if number else None,
            "predict_seconds": 0.5,
            "peak_memory_bytes": 300 * 10**6,
            "history": {"loss": [0.75] * n_epochs, "accuracy": [0.25] * n_epochs},
            "params": {"epochs": n_epochs, f"only_of_{number}": [1, 2]},
        }
        for number, name in enumerate(names)
    ]
    test = {"n_only_first_right": 12, "n_only_second_right": 1345, "pvalue": 1e-9}
    tests = [{"models": list(names[:2]), **test}] if len(names) > 1 else []
    comparison = {"data": "cifar10", "n_train": 50000, "n_test": 10000, "confidence": 0.95}
    comparison |= {"classes": list(classes), "models": models, "tests": tests}
    write_json(folder / "comparison.json", comparison | {"versions": {"numpy": "2.0"}})
    (folder / "comparison.csv").write_text("model,test_accuracy\ndense,0.5\nwide,0.625\n")
    Image.new("RGB", (1500, 300), "teal").save(folder / "comparison.png")
    for model in models:
        (folder / model["file"]).write_bytes(b"weights")
    return folder


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Folders that the commands wrote, by kind."""
    home = tmp_path_factory.mktemp("written")
    few = ["--data", "digits", "--limit", "60", "--epochs", "2"]
    (home / "grid.toml").write_text("hidden_layer_sizes = [[4], [40]]\n")
    grid = ["--grid", str(home / "grid.toml"), "--cv", "2"]
    assert main(["train", *few, "--hidden-layer-sizes", "9", "--out", str(home / "run")]) == 0
    assert main(["search", *few, *grid, "--out", str(home / "search")]) == 0
    write_comparison(home / "comparison")
    return {kind: home / kind for kind in KINDS}


@pytest.fixture
def run(written, tmp_path):
    """A run's folder to damage."""
    return Path(shutil.copytree(written["run"], tmp_path / "run"))


@pytest.fixture(scope="session")
def pages(written):
    """The page of each kind."""
    return {kind: write_report(folder)[0] for kind, folder in written.items()}


def parse(path):
    """Read a page as strictly as the standard has it."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(path.read_text(encoding="utf-8"))


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def table_of(page, label):
    """Return the cells of the table under a label, as rows of text."""
    (box,) = (div for div in page.iter("div") if div.get("aria-label") == label)
    return [[text_of(cell) for cell in row] for row in box.iter("tr")]


def report_on(folder):
    """Write a page of a folder from which something is missing; return it and what is missing."""
    path, problems = write_report(folder)
    page = parse(path)
    (note,) = (section for section in page.iter("section") if section.get("class") == "missing")
    assert [text_of(item) for item in note.iter("li")] == [f"{problem}." for problem in problems]
    return page, problems


# --- what is on the page ---


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_valid_html_with_headings(pages, kind):
    page = parse(pages[kind])
    headings = [text_of(heading) for heading in page.iter("h2")]
    assert len(list(page.iter("h1"))) == 1
    assert headings[0] == "The numbers"
    assert headings[-3:] == ["Parameters", "Versions", "How to load the model"]
    assert page.get("lang") == "en"


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_of_the_folder_is_in_the_page_and_described_in_words(pages, written, kind):
    images = list(parse(pages[kind]).iter("img"))
    shown = {base64.b64decode(image.get("src").split(",")[1]) for image in images}
    assert shown == {path.read_bytes() for path in written[kind].glob("*.png")}
    assert all(len(image.get("alt")) > 20 for image in images)


def test_lines_under_predictions_are_described_as_they_are_drawn(pages, tmp_path):
    alone = write_report(write_comparison(tmp_path / "alone", names=["dense"]))[0]
    captions = [text_of(next(parse(path).iter("figcaption"))) for path in (pages["run"], alone)]
    first = "Under each picture are the predicted class"
    assert captions[0].startswith(f"{first}, its probability according to the network, and the")
    assert captions[1].startswith(f"{first}, then the actual one.")


@pytest.mark.parametrize("kind", KINDS)
def test_page_holds_no_script_and_names_no_other_place(pages, kind):
    page = parse(pages[kind])
    assert not list(page.iter("script"))
    addresses = [v for tag in page.iter() for k, v in tag.items() if k in ("src", "href")]
    assert all(address.startswith("data:") for address in addresses)
    assert "url(" not in text_of(next(page.iter("style")))
    (policy,) = (meta for meta in page.iter("meta") if meta.get("http-equiv"))
    assert policy.get("content").startswith(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    )


def test_run_shows_its_numbers_parameters_and_versions(pages, written):
    page, metrics = parse(pages["run"]), json.loads((written["run"] / "metrics.json").read_text())
    numbers = {row[0]: row[1:] for row in table_of(page, "The numbers")[1:]}
    assert numbers["Accuracy on test pictures share that is right"] == [
        f"{metrics['test_accuracy']:.4f}"
    ]
    assert numbers["Parameters of the network"] == [f"{metrics['n_parameters']:,}"]
    assert ["hidden_layer_sizes", "[9]"] in table_of(page, "Parameters")
    assert ["keras", metrics["versions"]["keras"]] in table_of(page, "Versions")


def test_run_shows_how_far_it_can_be_relied_on(pages, written):
    metrics = json.loads((written["run"] / "metrics.json").read_text())
    rows = table_of(parse(pages["run"]), "The numbers")
    numbers = {row[0].split(" mean ")[0]: row[1] for row in rows[1:]}
    low, high = metrics["test_calibration_error_interval"]
    error = f"{metrics['test_calibration_error']:.4f} {low:.4f} to {high:.4f}"
    assert numbers["Calibration error on test pictures"] == error
    answers = str(metrics["n_answers_at_95_percent"])
    assert numbers["Test pictures answered if 95 % must be right"] == answers


def test_run_shows_precision_and_recall_of_each_class(pages, written):
    by_class = json.loads((written["run"] / "metrics.json").read_text())["by_class"]
    header, *rows = table_of(parse(pages["run"]), "Class by class")
    assert header[1:] == ["training pictures", "test pictures", "precision", "recall"]
    assert [row[0] for row in rows] == [str(digit) for digit in range(10)]
    assert [int(row[1]) for row in rows] == [c["n_train"] for c in by_class.values()]
    assert sum(int(row[1]) for row in rows) == 60


def test_run_says_how_to_get_curves_of_validation(pages, run):
    assert "--validation-fraction 0.1" in text_of(parse(pages["run"]))
    epochs = "epoch,loss,accuracy,val_loss,val_accuracy\n1,1.0,0.5,1.2,0.4\n"
    (run / "history.csv").write_text(epochs)
    text = text_of(parse(write_report(run)[0]))
    assert "The star marks the best epoch in validation." in text
    assert "--validation-fraction" not in text


def test_mistakes_are_listed_with_links_to_files_that_are_there(run):
    (run / "photos").mkdir()
    there = run / "photos" / "a cat & 'dog'.png"
    there.write_bytes(b"")
    rows = [
        "index,file,actual,predicted,probability,probability of actual,suspect label",
        f"3,{there},cat,dog,0.75,0.125,yes",
        "5,javascript:alert(1),dog,cat,0.5,0.25,no",
    ]
    (run / "mistakes.csv").write_text("\n".join(rows), encoding="utf-8")
    page = parse(write_report(run)[0])
    assert table_of(page, "The surest mistakes") == [
        ["file", "taken for", "actual", "suspect label"],
        [str(there), "dog 0.750", "cat 0.125", "yes"],
        ["javascript:alert(1)", "cat 0.500", "dog 0.250", "no"],
    ]
    (link,) = page.iter("a")
    assert link.get("href") == "photos/a%20cat%20%26%20%27dog%27.png"


def test_run_shows_each_epoch(pages):
    rows = table_of(parse(pages["run"]), "Epochs")
    assert rows[0] == ["epoch", "loss", "accuracy"]
    assert [row[0] for row in rows[1:]] == ["1", "2"]


def test_python_on_the_page_loads_the_model(pages, written, monkeypatch):
    monkeypatch.chdir(written["run"])
    (code,) = parse(pages["run"]).iter("pre")
    names = {}
    exec("".join(code.itertext()), names)
    assert names["model"]["classify"].hidden_layer_sizes == (9,)


def test_what_no_model_has_is_left_out(tmp_path):
    folder = write_comparison(tmp_path / "comparison", names=("dense",))
    write_report(folder)
    names = [row[0] for row in table_of(parse(folder / "report.html"), "The numbers")]
    assert "Epochs passes over the pictures" in names
    assert "Time to train seconds" not in names


def test_comparison_has_a_column_for_each_model(pages):
    page = parse(pages["comparison"])
    rows = table_of(page, "The numbers")
    assert rows[0] == ["", "dense", "wide"]
    assert rows[1][1:] == ["0.5000 0.4500 to 0.7000", "0.6250 0.4500 to 0.7000"]
    assert ["Time to train seconds", "not known", "12.5"] in rows
    assert ["Most memory used MB", "300", "300"] in rows
    assert "95 % confidence" in text_of(page)
    assert ["only_of_1", "-", "[1, 2]"] in table_of(page, "Parameters")
    assert '"wide": load_model("1.safetensors")' in text_of(page)
    assert 'models["dense"].predict(X)' in text_of(page)


def test_comparison_describes_its_tests_in_sentences(pages):
    sentences = [text_of(item) for item in parse(pages["comparison"]).iter("li")]
    assert sentences == [
        "Only dense is right on 12 test pictures, only wide on 1,345 (p < 0.0001): that is hardly"
        " chance, so wide is the better one on pictures like these."
    ]


def test_many_tests_come_with_a_warning(pages, tmp_path):
    folder = write_comparison(tmp_path / "comparison")
    comparison = json.loads((folder / "comparison.json").read_text())
    comparison["tests"] *= 3
    write_json(folder / "comparison.json", comparison)
    warning = "Of twenty such pairs that are equally good, one has p < 0.05 by chance."
    assert warning in text_of(parse(write_report(folder)[0]))
    assert warning not in text_of(parse(pages["comparison"]))


def test_models_that_were_only_compared_are_named(tmp_path):
    folder = write_comparison(tmp_path / "comparison")
    comparison = json.loads((folder / "comparison.json").read_text())
    comparison["models"][1] |= {"trained_here": False, "file": "/far/wide.safetensors"}
    write_json(folder / "comparison.json", comparison)
    path, problems = write_report(folder)
    text = text_of(parse(path))
    assert not problems
    assert 'model = load_model("0.safetensors")' in text
    assert "wide was not trained here. Its file was /far/wide.safetensors." in text


def test_search_ranks_its_candidates(pages, written):
    rows = table_of(parse(pages["search"]), "Ranking of candidates")
    assert rows[0] == ["", "mean accuracy", "hidden_layer_sizes"]
    means = [float(row[1].split(" ± ")[0]) for row in rows[1:]]
    assert means == sorted(means, reverse=True)
    best = json.loads((written["search"] / "metrics.json").read_text())
    assert means[0] == pytest.approx(best["best_validation_score"], abs=1e-4)


def test_long_history_is_folded_away(tmp_path):
    path, _ = write_report(write_comparison(tmp_path / "long", n_epochs=21))
    folded = list(parse(path).iter("details"))
    assert [text_of(fold.find("summary")) for fold in folded] == [
        "Epochs of dense: 21 rows",
        "Epochs of wide: 21 rows",
    ]
    assert len(list(folded[0].iter("tr"))) == 22


def test_names_are_text_whatever_they_are(tmp_path):
    script = "<script>alert(1)</script>"
    name = "\"&< {{ 7 * 7 }} '"
    folder = write_comparison(tmp_path / name, classes=[script], names=[script, "</style>\u202e"])
    path, problems = write_report(folder)
    page = parse(path)
    assert not problems
    assert not list(page.iter("script"))
    assert text_of(next(page.iter("h1"))) == f"Comparison: {name}"
    assert [text_of(fact) for fact in page.iter("dd")][-1] == script
    assert table_of(page, "The numbers")[0][1] == script


def test_characters_that_html_forbids_are_replaced(tmp_path):
    folder = write_comparison(tmp_path / "odd", classes=["a\0b\ud800c\x1b[31m\uffff"])
    page = parse(write_report(folder)[0])
    assert [text_of(fact) for fact in page.iter("dd")][-1] == "a\ufffdb\ufffdc\ufffd[31m\ufffd"


def test_same_folder_makes_the_same_page(pages):
    before = pages["run"].read_bytes()
    write_report(pages["run"].parent)
    assert pages["run"].read_bytes() == before


def test_colours_are_far_enough_apart():
    """WCAG 2 requires a contrast of 4.5 to 1."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    palettes = re.findall(r":root \{(.*?)\}", TEMPLATE.read_text(encoding="utf-8"))
    assert len(palettes) == 2
    for palette in palettes:
        colours = dict(re.findall(r"--(\w+): (#\w{6});", palette))
        for front, back in product(("ink", "faint"), ("paper", "box")):
            dark, light = sorted(luminance(colours[name]) for name in (front, back))
            assert (light + 0.05) / (dark + 0.05) >= 4.5


# --- missing and damaged files ---


@pytest.mark.parametrize("name", RUN_FILES)
def test_missing_file_is_named_and_the_rest_is_shown(run, name, capsys):
    (run / name).unlink()
    assert f"{name} is missing" in error_of(capsys, ["report", str(run)])
    page, problems = report_on(run)
    assert problems == [f"{name} is missing"]
    assert len(list(page.iter("h2"))) >= 5
    assert len(list(page.iter("img"))) == N_PICTURES - name.endswith(".png")
    text = text_of(page)
    assert ("None could be read." in text) == (name == "metrics.json")
    assert ("All values are in the table" in text) == (
        name not in ("history.csv", "learning_curves.png")
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("metrics.json", b'{"test_loss": 1', "metrics.json is damaged (JSONDecodeError: "),
        ("metrics.json", b"[1]", "metrics.json is damaged (TypeError: "),
        ("metrics.json", b"{}", "metrics.json is damaged (KeyError: 'network')"),
        ("metrics.json", b'{"network": ["dense"]}', "metrics.json is damaged ("),
        ("history.csv", b"epoch,loss\n1\n", "history.csv is damaged ("),
        ("history.csv", b"", "history.csv is damaged ("),
        ("history.csv", b"\x89\0\xff\n1\n", "history.csv is damaged ("),
        ("predictions.png", b"<svg/>", "predictions.png is damaged (ValueError: it is not a PNG"),
    ],
)
def test_damaged_file_is_named_and_the_rest_is_shown(run, name, content, reason):
    (run / name).write_bytes(content)
    page, (problem,) = report_on(run)
    assert problem.startswith(reason)
    assert len(list(page.iter("img"))) == N_PICTURES - (name == "predictions.png")


def test_comparison_of_a_foreign_shape_is_named_and_its_picture_is_shown(tmp_path):
    folder = write_comparison(tmp_path / "comparison")
    write_json(folder / "comparison.json", {"models": [3]})
    page, (problem,) = report_on(folder)
    assert problem.startswith("comparison.json is damaged (")
    assert len(list(page.iter("img"))) == 1


def test_caption_of_a_search_names_the_file_of_values_only_if_it_is_there(written, tmp_path):
    folder = Path(shutil.copytree(written["search"], tmp_path / "search"))
    assert "Each value is in learning_curves.csv." in text_of(parse(write_report(folder)[0]))
    (folder / "learning_curves.csv").unlink()
    page, problems = report_on(folder)
    assert problems == ["learning_curves.csv is missing"]
    assert "Each value is in" not in text_of(page)


def test_mistakes_are_shown_and_where_all_are_is_said(run):
    text = text_of(parse(write_report(run)[0]))
    assert "pictures on which the network was surest, and wrong" in text
    assert "All mistakes are in mistakes.csv." in text


def test_hidden_picture_is_left_out(run):
    Image.new("L", (5, 5)).save(run / ".scores-unfinished.png")
    page = parse(write_report(run)[0])
    assert len(list(page.iter("img"))) == N_PICTURES


def test_interval_without_an_end_is_left_out(tmp_path):
    folder = write_comparison(tmp_path / "comparison")
    comparison = json.loads((folder / "comparison.json").read_text())
    comparison["models"][0]["test_loss_interval"] = [0.0, float("inf")]
    write_json(folder / "comparison.json", comparison)
    rows = table_of(parse(write_report(folder)[0]), "The numbers")
    assert rows[2][1:] == ["1.2500", "1.2500 1.2000 to 1.3000"]


def test_picture_of_the_users_is_shown_too(run):
    Image.new("L", (5, 5)).save(run / "mine.png")
    page = parse(write_report(run)[0])
    assert [text_of(caption) for caption in page.iter("figcaption")][-1] == "mine.png"


# --- the command ---


@pytest.mark.parametrize("latest", ["metrics.json", "comparison.json"])
def test_page_is_that_of_the_latest_numbers(run, tmp_path, latest):
    folder = write_comparison(tmp_path / "both")
    shutil.copytree(run, folder, dirs_exist_ok=True)
    for name in ("metrics.json", "comparison.json"):
        os.utime(folder / name, (name == latest, name == latest))
    page = write_report(folder)[0].read_text(encoding="utf-8")
    assert ("Training run" in page) == (latest == "metrics.json")
    assert page.count("data:image/png") == (N_PICTURES if latest == "metrics.json" else 1)


def test_command_writes_the_file_of_out(written, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["report", str(written["run"]), "--out", str(page)]) == 0
    assert capsys.readouterr().out == f"{page} shows {written['run']}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("out", ["run/model.safetensors", "", "no/page.html", "folder.html"])
def test_page_that_cannot_be_is_one_line(run, tmp_path, monkeypatch, capsys, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    message = error_of(capsys, ["report", "run", "--out", out])
    assert "*.html" in message or "there is no folder no" in message
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "is not a folder"), ("file", "is not a folder"), ("empty", "holds nothing")],
)
def test_folder_that_is_none_of_a_run_is_one_line(tmp_path, capsys, name, message):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    assert message in error_of(capsys, ["report", str(tmp_path / name)])
    assert not list((tmp_path / "empty").iterdir())


# --- in a browser ---


@pytest.mark.parametrize("kind", KINDS)
def test_browser_shows_headings_and_every_picture(browser, pages, written, kind):
    browser.get(pages[kind].as_uri())
    headings = [heading.text for heading in browser.find_elements(By.TAG_NAME, "h2")]
    assert {"The numbers", "The pictures", "How to load the model"} <= set(headings)
    drawn = browser.execute_script(
        "return Array.from(document.images, image => image.complete && image.naturalWidth > 0)"
    )
    assert drawn == [True] * len(list(written[kind].glob("*.png")))


def test_browser_logs_no_error_and_requests_nothing_else(browser, pages):
    for log in ("browser", "performance"):
        browser.get_log(log)  # what other tests left
    browser.get(pages["comparison"].as_uri())
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requested = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert requested[0] == pages["comparison"].as_uri()
    assert all(address.startswith("data:") for address in requested[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_page_fits_on_a_phone(phone, pages, kind):
    phone.get(pages[kind].as_uri())
    assert phone.execute_script("return window.innerWidth") == 360
    assert phone.execute_script("return document.documentElement.scrollWidth") <= 360


def test_wide_picture_is_scrolled_on_a_phone_at_a_width_that_can_be_read(phone, pages):
    phone.get(pages["comparison"].as_uri())
    image = phone.find_element(By.TAG_NAME, "img")
    assert image.size["width"] == 832
    box = phone.find_element(By.CSS_SELECTOR, "[aria-label='comparison.png']")
    assert box.size["width"] <= 360
    phone.execute_script("arguments[0].scrollLeft = 400", box)
    assert phone.execute_script("return arguments[0].scrollLeft", box) > 0


def test_small_picture_keeps_its_width_on_a_phone(phone, tmp_path):
    folder = write_comparison(tmp_path / "small")
    Image.new("RGB", (400, 30), "teal").save(folder / "comparison.png")
    phone.get(write_report(folder)[0].as_uri())
    assert phone.find_element(By.TAG_NAME, "img").size["width"] == 400


def test_wide_picture_fits_on_a_large_screen(browser, pages):
    browser.get(pages["comparison"].as_uri())
    image = browser.find_element(By.TAG_NAME, "img")
    assert image.size["width"] == image.find_element(By.XPATH, "..").size["width"] - 2  # borders


def test_words_in_tables_are_not_torn_on_a_phone(phone, pages):
    phone.get(pages["run"].as_uri())
    (name,) = (
        cell
        for cell in phone.find_elements(By.CSS_SELECTOR, ".words tbody th")
        if cell.text == "hidden_layer_sizes"
    )
    script = "return parseFloat(getComputedStyle(arguments[0]).lineHeight)"
    line = phone.execute_script(script, name)
    assert name.size["height"] < 2 * line


def test_long_names_do_not_widen_the_page(phone, tmp_path):
    folder = write_comparison(tmp_path / ("n" * 120), classes=["c" * 300], names=["m" * 90, "n"])
    phone.get(write_report(folder)[0].as_uri())
    assert phone.execute_script("return document.documentElement.scrollWidth") <= 360


def test_names_of_rows_stay_in_sight_and_in_words_beside_many_columns(phone, tmp_path):
    folder = write_comparison(tmp_path / "many", names=[f"network_{n}" for n in range(6)])
    phone.get(write_report(folder)[0].as_uri())
    box = phone.find_element(By.CSS_SELECTOR, "[aria-label='The numbers']")
    name = box.find_element(By.CSS_SELECTOR, "tbody th")
    assert name.size["width"] >= 60  # a word, not a letter
    phone.execute_script("arguments[0].scrollLeft = 400", box)
    assert phone.execute_script("return arguments[0].scrollLeft", box) > 0
    left = phone.execute_script("return arguments[0].getBoundingClientRect().left", name)
    assert 0 <= left < 30


def test_folded_table_opens(phone, tmp_path):
    phone.get(write_report(write_comparison(tmp_path / "long", n_epochs=30))[0].as_uri())
    table = phone.find_element(By.CSS_SELECTOR, "details table")
    assert not table.is_displayed()
    phone.find_element(By.TAG_NAME, "summary").click()
    assert table.is_displayed()
