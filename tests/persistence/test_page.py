"""The page of a network: what it computes in a real browser, what it shows, what it refuses."""

import base64
import io
import json
import re

import html5lib
import numpy as np
import pytest
from exported_networks import (
    LAYERS_FOR_ROWS,
    LAYERS_TO_EXPORT,
    MERGES,
    NAMES,
    ONLY_IN_TRAINING,
    PICTURES,
    ROWS,
    L,
    anew,
    applied,
    ready,
    ready_built,
    ready_pipeline,
    small_pipeline,
)
from one_line_errors import error_of
from PIL import Image, ImageFilter
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skcifar import (
    DenseClassifier,
    ImageResizer,
    PixelScaler,
    export_html,
    make_convolutional_pipeline,
    make_dense_pipeline,
    make_whitening_pipeline,
    save_model,
)
from skcifar.cli._parser import main
from skcifar.persistence import ExportError

CLASSES_OF_PICTURES = np.resize(NAMES, len(PICTURES))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "page.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with ten test pictures."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    export_html(ready_pipeline(), path, X=PICTURES, y=CLASSES_OF_PICTURES)
    return path


def weights_in(path):
    (text,) = re.findall('id="weights">(.*?)<', path.read_text(encoding="utf-8"))
    return base64.b64decode(text)


# --- what is computed ---


def computed(browser, path, X):
    """What the page computes of samples, without pictures around them."""
    browser.get(path.as_uri())
    script = """return arguments[0].map(sample =>
        Array.from(probabilitiesOf(network, weights, Float32Array.from(sample))))"""
    samples = np.reshape(X, (len(X), -1)).astype(float).tolist()
    return np.array(browser.execute_script(script, samples))


def assert_same_probabilities(browser, path, pipeline):
    expected = pipeline.predict_proba(PICTURES)
    assert expected.std(axis=0).max() > 1e-4
    np.testing.assert_allclose(computed(browser, path, PICTURES), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "pipeline",
    [
        small_pipeline(batch_normalization=True, dropout=0.3),
        make_convolutional_pipeline(filters=(4, 5), strides=(1, 2), hidden_layer_sizes=(6,)),
        make_whitening_pipeline(filters=(4, 5), n_views=1),
    ],
    ids=["dense", "convolutional", "whitening"],
)
def test_browser_computes_what_the_pipeline_does(browser, path, pipeline):
    export_html(ready(pipeline, PICTURES), path)
    assert_same_probabilities(browser, path, pipeline)


def in_parts(layers, n=6):
    return [layers[i : i + n] for i in range(0, len(layers), n)]


@pytest.mark.slow
@pytest.mark.parametrize("layers", in_parts(LAYERS_TO_EXPORT))
def test_browser_computes_what_layers_do(browser, path, layers):
    pipeline = ready_built(
        lambda x: L.Concatenate()([L.Flatten()(anew(layer)(x)) for layer in layers])
    )
    export_html(pipeline, path)
    assert_same_probabilities(browser, path, pipeline)


@pytest.mark.slow
def test_browser_computes_what_layers_for_rows_do(browser, path):
    def build(x):
        x = L.Reshape((8, 21))(x)
        repeated = L.RepeatVector(2)(L.Flatten()(x))
        others = [anew(layer)(x) for layer in LAYERS_FOR_ROWS]
        return L.Concatenate()([L.Flatten()(y) for y in [repeated, *others]])

    pipeline = ready_built(build)
    export_html(pipeline, path)
    assert_same_probabilities(browser, path, pipeline)


@pytest.mark.slow
def test_browser_computes_what_merges_and_activations_do(browser, path):
    from skcifar.persistence._graph_layers import ACTIVATIONS

    def build(x):
        pairs = [[L.Activation("tanh")(x), L.Conv2D(3, 1)(x)] for _ in MERGES]
        merged = [anew(merge)(pair) for merge, pair in zip(MERGES, pairs, strict=True)]
        activated = [L.Dense(4, activation=a.__name__)(L.Flatten()(x)) for a in ACTIVATIONS]
        return L.Concatenate()([L.Flatten()(y) for y in merged + activated])

    pipeline = ready_built(build)
    export_html(pipeline, path)
    assert_same_probabilities(browser, path, pipeline)


def test_page_predicts_one_view_and_leaves_the_pipeline_as_it_is(browser, path):
    pipeline = ready(make_whitening_pipeline(filters=(4,), n_views=6), PICTURES)
    before = pipeline.predict_proba(PICTURES)
    export_html(pipeline, path, precision="float16")
    np.testing.assert_array_equal(pipeline.predict_proba(PICTURES), before)
    export_html(pipeline, path)
    pipeline.set_params(classify__n_views=1)
    assert_same_probabilities(browser, path, pipeline)


def test_float16_takes_half_the_place_and_says_its_own_accuracy(browser, tmp_path):
    pipeline = ready_pipeline(hidden_layer_sizes=(200,))
    exact, rounded = tmp_path / "exact.html", tmp_path / "rounded.html"
    y = pipeline.predict(PICTURES)
    assert export_html(pipeline, exact, X=PICTURES, y=y) == 1
    accuracy = export_html(pipeline, rounded, X=PICTURES, y=y, precision="float16")
    assert len(weights_in(rounded)) < 0.55 * len(weights_in(exact))
    probabilities = computed(browser, rounded, PICTURES)
    assert accuracy == np.mean(NAMES[probabilities.argmax(axis=1)] == y)
    largest = np.abs(probabilities - pipeline.predict_proba(PICTURES)).max()
    assert 0 < largest < 0.05


# --- pictures ---


def photograph(size=(640, 480), mode="RGB"):
    """A picture with details of all sizes, large ones above all, as photographs have."""
    rng = np.random.default_rng(0)
    width, height = size
    noise = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, len(mode)), dtype=np.uint8)
    large = Image.fromarray(noise.squeeze()).resize(size, Image.Resampling.BICUBIC)
    return large.filter(ImageFilter.GaussianBlur(2))


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def sampled(browser, file):
    """What the page in the browser gives its network of a file."""
    browser.execute_script(
        "document.body.append(Object.assign(document.createElement('input'),"
        " {type: 'file', id: 'given'}))"
    )
    browser.find_element(By.ID, "given").send_keys(str(file))
    script = "return sampleOf(given.files[0], network.input).then(sample => Array.from(sample))"
    return np.array(browser.execute_script(script))


def differences(browser, path, content, kind, **resizing):
    """How much what the page takes of a file differs from what the pipeline does, by value."""
    pipeline = make_dense_pipeline(hidden_layer_sizes=(2,), **resizing)
    height, width = resizing["image_size"]
    X = np.zeros((4, height, width, resizing.get("n_channels", 3)), np.uint8)
    export_html(ready(pipeline, X), path)
    browser.get(path.as_uri())
    file = path.with_suffix(f".{kind.lower()}")
    file.write_bytes(content)
    expected = pipeline["resize"].transform([file])[0].astype(float).ravel()
    assert expected.std() > 3
    return np.abs(sampled(browser, file) - expected)


@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(97, 41), (20, 31)], ids=str)
def test_pictures_get_their_size_as_in_the_pipeline(browser, path, resize, size):
    content = encoded(photograph(size), "PNG")
    resizing = {"image_size": (16, 24), "resize": resize}
    assert differences(browser, path, content, "PNG", **resizing).max() <= 1


@pytest.mark.parametrize("mode", ["grey", "to grey", "transparent"])
def test_grey_and_transparent_pictures_are_read_as_in_the_pipeline(browser, path, mode):
    picture = photograph((60, 40), "L" if mode == "grey" else "RGB")
    if mode == "transparent":
        picture.putalpha(photograph((40, 60), "L").rotate(90, expand=True))
    resizing = {"image_size": (16, 24), "n_channels": 3 if mode == "transparent" else 1}
    found = differences(browser, path, encoded(picture, "PNG"), "PNG", **resizing)
    assert found.max() <= 2  # alpha is rounded twice


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_photographs_are_upright(browser, path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(photograph(), "JPEG", quality=90, exif=exif)
    found = differences(browser, path, content, "JPEG", image_size=(32, 32))
    assert found.mean() < 1.5
    assert found.max() < 10  # a turned picture differs by tens


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "size"), [("JPEG", (5472, 3648)), ("PNG", (3000, 2000))])
def test_large_photographs_are_scaled_first(browser, path, kind, size):
    content = encoded(photograph().resize(size), kind)
    found = differences(browser, path, content, kind, image_size=(32, 32))
    assert found.mean() < 1.5


# --- what is shown ---


def answer(browser, *, other_than=""):
    """The answer, once there is another one."""
    WebDriverWait(browser, 10).until(
        lambda browser: browser.find_element(By.ID, "answer").text != other_than
    )
    return browser.find_element(By.ID, "answer").text


def message(browser, *, begins=""):
    """The sentence of what went wrong, once there is one."""
    shown = browser.find_element(By.ID, "message")
    WebDriverWait(browser, 10).until(
        lambda browser: shown.text.startswith(begins) and not shown.text.startswith("Reading")
    )
    return shown.text


def choose(browser, file):
    browser.find_element(By.ID, "file").send_keys(str(file))


def test_chosen_file_gets_the_classes_of_the_pipeline(browser, page, tmp_path):
    pipeline, file = ready_pipeline(), tmp_path / "mine.png"
    Image.fromarray(PICTURES[3]).save(file)
    browser.get(page.as_uri())
    choose(browser, file)
    (expected,) = pipeline.predict_proba(PICTURES[3:4])
    best = NAMES[expected.argmax()]
    assert answer(browser) == f"{best}, {100 * expected.max():.1f} % sure"
    bars = browser.find_elements(By.CSS_SELECTOR, "#bars li")
    order = expected.argsort()[::-1]
    assert [bar.text.split() for bar in bars] == [
        [NAMES[i], f"{100 * expected[i]:.1f}", "%"] for i in order
    ]
    lines = [bar.find_element(By.TAG_NAME, "div") for bar in bars]
    lengths = [float(line.value_of_css_property("background-size").split("%")[0]) for line in lines]
    np.testing.assert_allclose(lengths, 100 * expected[order], atol=1e-3)
    assert "mine.png" in browser.find_element(By.ID, "caption").text


def test_test_pictures_are_those_that_were_given(browser, page):
    browser.get(page.as_uri())
    buttons = browser.find_elements(By.CSS_SELECTOR, "#examples button")
    assert len(buttons) == 10
    buttons[-1].click()
    answer(browser)
    drawn = browser.execute_script(
        "const [height, width] = network.input.shape;"
        "return Array.from(seen.getContext('2d').getImageData(0, 0, width, height).data)"
    )
    np.testing.assert_array_equal(np.reshape(drawn, (8, 7, 4))[..., :3], PICTURES[-1])
    caption = browser.find_element(By.ID, "caption").text
    assert caption == f"Test picture 10, whose class is {CLASSES_OF_PICTURES[-1]}."


def test_accuracy_is_on_the_page(path):
    pipeline = ready_pipeline()
    y = pipeline.predict(PICTURES)
    y[0] = NAMES[(y[0] == NAMES).argmin()]
    assert export_html(pipeline, path, X=PICTURES, y=y) == 0.95
    assert "19 of 20 test pictures (95.0 %)" in path.read_text(encoding="utf-8")


def test_page_is_valid_html_with_its_title_as_text(path):
    title = "</title><script>alert(1)</script> & \0\ud800\u202e"
    export_html(ready_pipeline(), path, X=PICTURES, title=title)
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    page = parser.parse(path.read_text(encoding="utf-8"))
    (heading,) = page.iter("h1")
    assert heading.text == "</title><script>alert(1)</script> & \ufffd\ufffd\ufffd"
    assert len(list(page.iter("script"))) == 3


HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>"


def test_names_of_classes_are_text_whatever_they_are(browser, path):
    classes = [HOSTILE, "{{ 7 * 7 }}"]
    pipeline = ready(small_pipeline(), PICTURES, classes)
    browser.get_log("browser")
    export_html(pipeline, path, X=PICTURES, y=pipeline.predict(PICTURES))
    browser.get(path.as_uri())
    browser.find_element(By.CSS_SELECTOR, "#examples button").click()
    answer(browser)
    names = browser.find_elements(By.CSS_SELECTOR, "#bars li span:first-child")
    assert {name.text for name in names} == set(classes)
    assert not browser.find_elements(By.CSS_SELECTOR, "img[onerror]")
    assert browser.get_log("browser") == []  # no alert, no error, nothing that the policy forbade


def test_two_classes_make_two_bars_and_no_others(browser, path):
    export_html(ready(small_pipeline(), PICTURES, [False, True]), path)
    browser.get(path.as_uri())
    browser.execute_script("show(new Float32Array(168).fill(90), 'a picture')")
    bars = browser.find_elements(By.CSS_SELECTOR, "#bars li")
    assert {bar.text.split()[0] for bar in bars} == {"False", "True"}
    assert browser.find_element(By.ID, "others").text == ""


@pytest.fixture
def many_long_names(path):
    names = [f"{'name ' * 19}{number:05}" for number in range(100)]
    names += [f"{'n' * 95}{number:05}" for number in range(100)]
    pipeline = ready(small_pipeline(), PICTURES, names)
    export_html(pipeline, path, X=PICTURES, y=pipeline.predict(PICTURES))
    return path


def test_of_many_classes_the_first_are_shown_and_the_others_counted(phone, many_long_names):
    phone.get(many_long_names.as_uri())
    phone.find_element(By.CSS_SELECTOR, "#examples button").click()
    answer(phone)
    assert len(phone.find_elements(By.CSS_SELECTOR, "#bars li")) == 10
    others = phone.find_element(By.ID, "others").text
    assert others.startswith("The other 190 classes together: ")
    assert phone.execute_script("return document.documentElement.scrollWidth") <= 360


def test_page_fits_on_a_phone_which_offers_its_camera(phone, page):
    phone.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    phone.get(page.as_uri())
    phone.find_element(By.CSS_SELECTOR, "#examples button").click()
    answer(phone)
    assert phone.execute_script("return document.documentElement.scrollWidth") <= 360
    camera = phone.find_element(By.ID, "camera")
    assert camera.get_attribute("capture") == "environment"
    assert camera.find_element(By.XPATH, "..").is_displayed()
    phone.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_keyboard_alone_is_enough(browser, page):
    browser.get(page.as_uri())
    keys = ActionChains(browser)
    reached = []
    for _ in range(3):
        keys.send_keys(Keys.TAB).perform()
        active = browser.switch_to.active_element
        reached.append(active.get_attribute("id") or active.get_attribute("aria-label"))
    assert reached[0] == "file"
    assert reached[-1].startswith("Test picture")
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert browser.execute_script(outline) == "solid"
    keys.send_keys(Keys.ENTER).perform()
    assert "sure" in answer(browser)


def give(browser, kind, content, name="mine.png"):
    """Drop or paste a file onto the page."""
    script = """
        const given = new DataTransfer(), [kind, text, name] = arguments;
        if (name) given.items.add(new File([bytesOf(text)], name));
        else given.items.add("some text", "text/plain");
        document.body.dispatchEvent(kind === "drop"
            ? new DragEvent("drop", {dataTransfer: given, bubbles: true, cancelable: true})
            : new ClipboardEvent("paste", {clipboardData: given, bubbles: true}));
    """
    browser.execute_script(script, kind, base64.b64encode(content).decode(), name)


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_picture_is_dropped_or_pasted(browser, page, kind):
    browser.get(page.as_uri())
    give(browser, kind, encoded(photograph(), "PNG"))
    assert "sure" in answer(browser)
    give(browser, kind, b"", name=None)
    assert message(browser, begins="What was").startswith(f"What was {kind}")


@pytest.mark.parametrize("content", [b"", b"no picture", "cut off"], ids=str)
def test_file_that_is_no_picture_is_one_sentence(browser, page, content):
    browser.get(page.as_uri())
    if content == "cut off":
        content = encoded(photograph(), "PNG")[:60]
    give(browser, "drop", content, "<b>.png")
    assert message(browser, begins="<b>") == (
        "<b>.png cannot be read as a picture by this browser. Give a JPEG, PNG, GIF or WebP file."
    )


def test_picture_after_one_that_could_not_be_read_is_shown(browser, page):
    browser.get(page.as_uri())
    give(browser, "drop", b"no picture")
    message(browser, begins="mine.png cannot")
    give(browser, "drop", encoded(photograph(), "PNG"))
    assert "sure" in answer(browser)
    assert browser.find_element(By.ID, "message").text == ""


def test_refused_camera_is_one_sentence(browser, page):
    browser.get(page.as_uri())
    browser.execute_script("camera.dispatchEvent(new Event('cancel'))")
    assert message(browser).startswith("No photograph was taken. If the browser may not use the")


def test_policy_lets_no_other_script_run_and_nothing_be_sent(browser, page):
    browser.get(page.as_uri())
    browser.execute_script(
        "const script = document.createElement('script'); script.text = 'window.injected = 1';"
        "document.body.append(script)"
    )
    assert browser.execute_script("return window.injected") is None
    refused = "return fetch(arguments[0]).then(() => 'sent', error => error.name)"
    assert browser.execute_script(refused, "data:,x") == "TypeError"
    messages = " ".join(entry["message"] for entry in browser.get_log("browser"))
    assert "script-src" in messages
    assert "connect-src" in messages


def test_page_requests_nothing_else_and_logs_no_error(browser, page):
    for log in ("browser", "performance"):
        browser.get_log(log)  # what other tests left
    browser.get(page.as_uri())
    browser.find_element(By.CSS_SELECTOR, "#examples button").click()
    answer(browser)
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requested = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert requested - {page.as_uri()} == {u for u in requested if u.startswith("data:")}


def test_page_is_small_beside_its_weights(page):
    assert page.stat().st_size - len(weights_in(page)) * 4 / 3 < 100_000


# --- what is refused ---


@pytest.mark.parametrize(
    ("model", "X", "message"),
    [
        (make_pipeline(PixelScaler(), DenseClassifier()), ROWS, r"samples of shape \(6,\), uint8"),
        (make_pipeline(ImageResizer(), DenseClassifier()), PICTURES, r"\(8, 7, 3\), float32"),
        (DenseClassifier(), PICTURES, r"Train a Pipeline with a PixelScaler"),
        (small_pipeline(), PICTURES[..., [0, 1]], r"1 or 3 channels"),
    ],
    ids=["rows", "not scaled", "classifier alone", "two channels"],
)
def test_pipelines_of_no_pictures_are_refused(model, X, message, path):
    with pytest.raises(ExportError, match=message):
        export_html(ready(model, X), path)
    assert not path.exists()


def test_layer_that_cannot_be_exported_is_named(path):
    pipeline = ready_built(lambda x: L.GRU(2, name="mine")(L.Reshape((8, 21))(x)))
    with pytest.raises(ExportError, match="'mine' of the class GRU cannot be exported"):
        export_html(pipeline, path)
    assert not path.exists()


def test_model_without_a_network_is_refused(path):
    with pytest.raises(ExportError, match="Only a NetworkClassifier, or a Pipeline that ends in"):
        export_html(LogisticRegression(), path)


def test_model_that_is_not_fitted_is_refused(path):
    with pytest.raises(NotFittedError):
        export_html(small_pipeline(), path)


def test_weights_that_float16_cannot_hold_are_refused(path):
    pipeline = ready_pipeline()
    kernel = pipeline[-1].model_.layers[-1].kernel
    kernel.assign(np.full(kernel.shape, 1e6))
    with pytest.raises(ExportError, match=r"kernel has weights that are too large for float16"):
        export_html(pipeline, path, precision="float16")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "page.onnx"}, r"must be a file named \*.html, got 'page.onnx'"),
        ({"precision": "float8"}, "The 'precision' parameter of export_html must be a str among"),
        ({"X": PICTURES / 255}, "X must hold pictures of dtype uint8, got float64"),
        ({"y": NAMES}, "y is given without X"),
        ({"X": PICTURES, "y": NAMES}, "inconsistent numbers of samples"),
    ],
)
def test_parameters_that_cannot_be_are_refused(path, options, message):
    with pytest.raises(ValueError, match=message):
        export_html(ready_pipeline(), **({"path": path} | options))
    assert not path.exists()


# --- the command ---


@pytest.fixture
def saved(tmp_path):
    saved = tmp_path / "model.safetensors"
    save_model(ready_pipeline(), saved)
    return saved


def test_command_writes_a_page(saved, path, capsys):
    assert main(["export", str(saved), str(path), "--title", "Ours"]) == 0
    kilobytes = path.stat().st_size / 1000
    assert capsys.readouterr().out == f"{path} classifies in a browser; {kilobytes:,.0f} kB\n"
    assert "<h1>Ours</h1>" in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_command_tests_the_page_on_data(tmp_path, path, capsys):
    few = ["--data", "digits", "--limit", "60", "--epochs", "1", "--hidden-layer-sizes", "9"]
    assert main(["train", *few, "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    saved = tmp_path / "run" / "model.safetensors"
    options = ["--data", "auto", "--limit", "40", "--precision", "float16"]
    assert main(["export", str(saved), str(path), *options]) == 0
    html = path.read_text(encoding="utf-8")
    (n_right,) = re.findall(r"(\d+) of 40 test pictures", html)
    assert f"right on {int(n_right) / 40:.1%}".replace("%", " %") in capsys.readouterr().out
    assert html.count("data:image/png") == 10
    assert "in float16" in html


@pytest.mark.parametrize(
    "option", [["--precision", "float16"], ["--title", "Ours"], ["--data", "digits"]]
)
def test_options_of_pages_are_refused_for_onnx(saved, path, capsys, option):
    target = path.with_suffix(".onnx")
    assert f"{option[0]} is for pages" in error_of(
        capsys, ["export", str(saved), str(target), *option]
    )
    assert not target.exists()


def test_command_asks_for_a_name_that_says_what_to_write(saved, path, capsys):
    target = path.with_suffix(".h5")
    assert f"*.html, for a page, or *.onnx, got {target}" in error_of(
        capsys, ["export", str(saved), str(target)]
    )
    assert not target.exists()


def test_layers_of_training_are_left_out_of_the_page(path):
    export_html(
        ready_built(lambda x: applied([anew(layer) for layer in ONLY_IN_TRAINING], x)), path
    )
    network = json.loads(re.findall('id="network">(.*?)<', path.read_text(encoding="utf-8"))[0])
    assert len(network["nodes"]) < 12


def test_folder_that_is_not_there_is_named(path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        export_html(ready_pipeline(), path.parent / "nowhere" / "page.html")
