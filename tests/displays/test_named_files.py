"""Which picture it was: the file or the index under each that is drawn."""

import numpy as np
import pytest

from skcifar import ComparisonDisplay, MistakesDisplay, PredictionGridDisplay

IMAGES = np.random.default_rng(0).integers(256, size=(6, 4, 4, 3), dtype=np.uint8)
Y = np.array(["cat", "dog"] * 3)
TAKEN = np.array(["dog", "dog"] * 3)
PROBA = np.array([[0.4, 0.6], [0.1, 0.9], [0.1, 0.9], [0.2, 0.8], [0.2, 0.8], [0.3, 0.7]])
FILES = np.array([f"pets/{name}/{number}.png" for number, name in enumerate(Y)])


class Knows:
    classes_ = np.array(["cat", "dog"])

    def predict(self, X):
        return np.array(["dog"] * len(X))

    def predict_proba(self, X):
        return PROBA[[np.flatnonzero((image == IMAGES).all((1, 2, 3)))[0] for image in X]]


def last_lines(axes):
    """What is written in the lowest line under each picture; headers are to the left."""
    return [max((t for t in ax.texts if t.xy[0] == 0.5), key=below).get_text() for ax in axes]


def below(text):
    return -text.xyann[1]


def files_of(images):
    rows = [np.flatnonzero((image == IMAGES).all((1, 2, 3)))[0] for image in images]
    return [f"{row}.png" for row in rows]


@pytest.mark.parametrize(
    ("filenames", "header", "expected"),
    [(None, "index", ["2", "4", "0"]), (FILES, "file", ["2.png", "4.png", "0.png"])],
)
def test_mistakes_have_their_file_or_else_their_index(filenames, header, expected):
    for display in (
        MistakesDisplay.from_predictions(IMAGES, Y, PROBA, filenames=filenames),
        MistakesDisplay.from_estimator(Knows(), IMAGES, Y, filenames=filenames),
    ):
        assert last_lines(display.axes_) == expected
        assert display.indices.tolist() == [2, 4, 0]
        assert header in [text.get_text() for text in display.axes_[0].texts]


def test_files_of_mistakes_are_whole_paths_in_the_display():
    display = MistakesDisplay.from_predictions(IMAGES, Y, PROBA, filenames=list(FILES))
    assert display.filenames.tolist() == FILES[[2, 4, 0]].tolist()


def test_predictions_have_their_files():
    options = {"filenames": FILES, "n_images": 4, "random_state": 0}
    for display in (
        PredictionGridDisplay.from_predictions(IMAGES, Y, TAKEN, **options),
        PredictionGridDisplay.from_estimator(Knows(), IMAGES, Y, **options),
    ):
        assert last_lines(display.axes_) == files_of(display.images)


def test_pictures_of_comparisons_have_their_files():
    options = {"filenames": FILES, "random_state": 0}
    shown = [
        ComparisonDisplay.from_predictions(IMAGES, Y, {"a": Y, "b": TAKEN}, **options),
        ComparisonDisplay.from_estimators({"a": Knows(), "b": Opposed()}, IMAGES, Y, **options),
    ]
    for display in shown:
        axes = display.axes_["pictures"]
        assert last_lines(axes) == files_of([ax.images[0].get_array() for ax in axes])


class Opposed(Knows):
    def predict(self, X):
        return np.array(["cat"] * len(X))


@pytest.mark.parametrize(
    "draw",
    [
        lambda files: MistakesDisplay.from_predictions(IMAGES, Y, PROBA, filenames=files),
        lambda files: PredictionGridDisplay.from_predictions(IMAGES, Y, TAKEN, filenames=files),
        lambda files: ComparisonDisplay.from_predictions(
            IMAGES, Y, {"a": Y, "b": TAKEN}, filenames=files
        ),
    ],
)
def test_other_numbers_of_files_are_refused(draw):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        draw(FILES[1:])


def test_long_names_keep_their_ends_and_their_place():
    files = [f"a_very_long_name_of_a_photograph_taken_in_summer_{n:04d}.jpeg" for n in range(6)]
    display = PredictionGridDisplay.from_predictions(IMAGES, Y, TAKEN, filenames=files)
    display.figure_.draw_without_rendering()
    for axes, name in zip(display.axes_, last_lines(display.axes_), strict=True):
        assert name.startswith("…")
        assert name.endswith(".jpeg")
        (line,) = (text for text in axes.texts if text.get_text() == name)
        width = axes.get_window_extent().width
        assert line.get_window_extent().width <= 1.05 * width


def test_names_that_are_no_text_are_drawn():
    files = [f"{n}\udce9.png" for n in range(6)]
    display = PredictionGridDisplay.from_predictions(IMAGES, Y, TAKEN, filenames=files)
    display.figure_.draw_without_rendering()
    assert all(r"\udce9.png" in name for name in last_lines(display.axes_))
