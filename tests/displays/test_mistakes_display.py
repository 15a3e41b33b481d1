"""Mistakes and suspect labels, compared by what is drawn."""

import numpy as np
import pytest
from given_axes import assert_drawn_in_place

from skcifar import MistakesDisplay
from skcifar.displays import WRONG_COLOR

CLASSES = np.array(["cat", "dog", "frog"])
Y_TRUE = np.array(["cat", "dog", "frog", "cat", "dog"])
Y_PROBA = np.array(
    [
        [0.6, 0.3, 0.1],  # right
        [0.7, 0.2, 0.1],  # wrong
        [0.0, 0.9, 0.1],  # wrong, and the surest
        [0.1, 0.2, 0.7],  # wrong, as sure as the first
        [0.5, 0.3, 0.2],  # wrong
    ]
)


class Knows:
    classes_ = CLASSES

    def predict_proba(self, X):
        return Y_PROBA[: len(X)]


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(5, 4, 4, 3), dtype=np.uint8)


def lines_of(axes):
    return [text.get_text() for text in axes.texts[:2]]


def test_the_surest_mistakes_come_first(images):
    display = MistakesDisplay.from_estimator(Knows(), images, Y_TRUE)
    assert [lines_of(axes) for axes in display.axes_] == [
        ["✗ dog 0.90", "frog 0.10"],
        ["✗ cat 0.70", "dog 0.20"],
        ["✗ frog 0.70", "cat 0.10"],
        ["✗ cat 0.50", "dog 0.30"],
    ]
    for axes, row in zip(display.axes_, (2, 1, 3, 4), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), images[row])
        assert axes.texts[0].get_color() == WRONG_COLOR


def test_predictions_made_before_are_drawn_the_same(images):
    made = MistakesDisplay.from_predictions(images, Y_TRUE, Y_PROBA, n_images=2)
    drawn = MistakesDisplay.from_estimator(Knows(), images, Y_TRUE, n_images=2)
    assert len(made.axes_) == 2
    assert [*map(lines_of, made.axes_)] == [*map(lines_of, drawn.axes_)]


def test_columns_are_those_of_the_classes_that_are_given(images):
    y_true = np.array(["cat"] * 5)
    display = MistakesDisplay.from_predictions(images, y_true, Y_PROBA, classes=CLASSES)
    assert display.y_pred.tolist() == ["dog", "frog"]


def test_grid_has_as_many_columns_as_requested(images):
    display = MistakesDisplay.from_estimator(Knows(), images, Y_TRUE, n_columns=3)
    assert [axes.get_subplotspec().rowspan.start for axes in display.axes_] == [0, 0, 0, 1]


def test_title_shows_how_many_pictures_there_were(images):
    display = MistakesDisplay.from_estimator(Knows(), images, Y_TRUE)
    reported = [text.get_text() for axes in display.figure_.axes for text in axes.texts]
    assert "The 4 surest mistakes among 5 pictures, with probabilities" in reported


def test_a_model_without_mistakes_is_a_statement(images):
    display = MistakesDisplay.from_estimator(Knows(), images[:1], Y_TRUE[:1])
    (axes,) = display.figure_.axes
    assert [text.get_text() for text in axes.texts] == ["no mistakes among 1 picture"]
    assert len(display.axes_) == 0


@pytest.mark.parametrize("layout", ["constrained", None])
@pytest.mark.parametrize("n_samples", [1, 5])
def test_mistakes_take_the_place_of_given_axes(images, n_samples, layout):
    def draw(axes):
        return MistakesDisplay.from_estimator(
            Knows(), images[:n_samples], Y_TRUE[:n_samples], n_columns=3, ax=axes
        )

    assert_drawn_in_place(draw, layout=layout)


def test_probabilities_that_only_round_to_certainty_are_distinguished(images):
    y_proba = [[0.999, 0.001], [1.0, 0.0]]
    display = MistakesDisplay.from_predictions(images[:2], ["b", "b"], y_proba, classes=["a", "b"])
    assert [*map(lines_of, display.axes_)] == [["✗ a 1.00", "b 0.00"], ["✗ a >0.99", "b <0.01"]]


def test_estimator_without_probabilities_is_refused(images):
    with pytest.raises(ValueError, match="object has no predict_proba, so nobody knows"):
        MistakesDisplay.from_estimator(object(), images, Y_TRUE)


def test_labels_that_nobody_knows_are_refused(images):
    with pytest.raises(ValueError, match=r"The classes 0, 1 are not among .* cat, dog"):
        MistakesDisplay.from_estimator(Knows(), images, [0, 1, 0, 1, 0])


@pytest.mark.parametrize("y_proba", [Y_PROBA[:, :2], Y_PROBA[:, 0]])
def test_columns_of_other_classes_are_refused(images, y_proba):
    with pytest.raises(ValueError, match=r"shape \(n_samples, 3\).* which class each column"):
        MistakesDisplay.from_predictions(images, Y_TRUE, y_proba)


def test_fewer_probabilities_than_pictures_are_refused(images):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MistakesDisplay.from_predictions(images, Y_TRUE, Y_PROBA[:3])


def test_pictures_of_four_channels_are_refused():
    with pytest.raises(ValueError, match="which has 4"):
        MistakesDisplay.from_estimator(Knows(), np.zeros((5, 4, 4, 4)), Y_TRUE)


@pytest.mark.parametrize("parameter", ["n_images", "n_columns"])
def test_none_of_a_thing_cannot_be_drawn(images, parameter):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of MistakesDisplay"):
        MistakesDisplay.from_estimator(Knows(), images, Y_TRUE, **{parameter: 0})


def test_the_closest_mistakes_come_first(images):
    display = MistakesDisplay.from_estimator(Knows(), images, Y_TRUE, which="doubtful")
    assert display.indices.tolist() == [4, 1, 3, 2]
    texts = [text.get_text() for axes in display.figure_.axes for text in axes.texts]
    assert "The 4 closest mistakes among 5 pictures, with probabilities" in texts


def test_suspect_labels_are_drawn(images):
    """Of the cat that is called a dog, and of no other, the network is as sure as of any cat."""
    y_proba = [[0.9, 0.1], [0.8, 0.2], [0.95, 0.05], [0.1, 0.9], [0.55, 0.45]]
    y_true = ["cat", "cat", "dog", "dog", "dog"]
    display = MistakesDisplay.from_predictions(images, y_true, y_proba, which="suspects")
    assert display.indices.tolist() == [2]
    texts = [text.get_text() for text in display.axes_[0].texts]
    assert texts == ["cat 0.95", "dog 0.05", "2", "taken for", "label", "index"]


def test_labels_of_which_none_is_suspect_are_a_statement(images):
    display = MistakesDisplay.from_predictions(images[:2], ["a", "b"], np.eye(2), which="suspects")
    (axes,) = display.figure_.axes
    assert [text.get_text() for text in axes.texts] == ["no suspect labels among 2 pictures"]
