"""What is taken for what, compared by what is drawn."""

import numpy as np
import pytest
from given_axes import assert_drawn_in_place

from skcifar import ConfusionsDisplay

# three of four cats are taken for dogs, one of six dogs for a cat, and the owl is recognized
Y_TRUE = np.array(["cat"] * 4 + ["dog"] * 6 + ["owl"])
Y_PRED = np.array(["dog"] * 3 + ["cat"] + ["cat"] + ["dog"] * 5 + ["owl"])
IMAGES = np.random.default_rng(0).integers(256, size=(11, 4, 4, 3), dtype=np.uint8)


class Knows:
    classes_ = np.array(["cat", "dog", "owl"])

    def predict(self, X):
        return Y_PRED


@pytest.fixture
def display():
    return ConfusionsDisplay.from_predictions(IMAGES, Y_TRUE, Y_PRED)


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


def test_matrices_are_of_counts_and_of_shares(display):
    counts, shares = display.axes_["matrices"]
    assert texts_of(counts) == ["1", "3", "0", "1", "5", "0", "0", "0", "1"]
    assert texts_of(shares) == ["25", "75", "0", "17", "83", "0", "0", "0", "100"]
    assert (counts.get_title(), shares.get_title()) == ("Pictures", "Percent of the actual class")


def test_the_commonest_mistakes_come_first(display):
    assert [texts_of(axes) for axes in display.axes_["pictures"]] == [
        ["cat taken for dog\n3 of 4 (75 %)"],
        ["dog taken for cat\n1 of 6 (17 %)"],
    ]


def test_pictures_are_those_of_the_pair(display):
    drawn = np.asarray(display.axes_["pictures"][0].images[0].get_array())
    for number, image in enumerate(IMAGES[:3]):
        np.testing.assert_array_equal(drawn[:, 5 * number : 5 * number + 4], image)
    assert (drawn[:, 15:] == 255).all()


def test_estimator_is_drawn_as_its_predictions_are():
    display = ConfusionsDisplay.from_estimator(Knows(), IMAGES, Y_TRUE, n_pairs=1, n_images=2)
    (axes,) = display.axes_["pictures"]
    assert axes.images[0].get_array().shape == (4, 10, 3)  # two pictures, and what is between


def test_a_model_without_mistakes_is_a_statement():
    display = ConfusionsDisplay.from_predictions(IMAGES, Y_TRUE, Y_TRUE)
    assert len(display.axes_["pictures"]) == 0
    assert ["no mistakes among 11 pictures"] in [texts_of(axes) for axes in display.figure_.axes]


def test_a_class_without_pictures_is_drawn():
    display = ConfusionsDisplay.from_predictions(
        IMAGES, Y_TRUE, Y_PRED, classes=["ant", "cat", "dog", "owl"]
    )
    assert texts_of(display.axes_["matrices"][1])[:4] == ["0"] * 4


def test_of_many_classes_no_numbers_are_drawn():
    y_true, y_pred = np.arange(200), np.roll(np.arange(200), 1)
    images = np.zeros((200, 2, 2, 3), np.uint8)
    display = ConfusionsDisplay.from_predictions(images, y_true, y_pred)
    assert texts_of(display.axes_["matrices"][0]) == []
    assert len(display.axes_["matrices"][0].get_xticklabels()) <= 18


def test_confusions_take_the_place_of_given_axes():
    def draw(axes):
        return ConfusionsDisplay.from_predictions(IMAGES, Y_TRUE, Y_PRED, ax=axes)

    assert_drawn_in_place(draw, layout="constrained")


def test_labels_that_nobody_knows_are_refused():
    with pytest.raises(ValueError, match="The classes owl are not among"):
        ConfusionsDisplay.from_predictions(IMAGES, Y_TRUE, Y_PRED, classes=["cat", "dog"])


@pytest.mark.parametrize("parameter", ["n_pairs", "n_images"])
def test_none_of_a_thing_cannot_be_drawn(parameter):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of ConfusionsDisplay"):
        ConfusionsDisplay.from_predictions(IMAGES, Y_TRUE, Y_PRED, **{parameter: 0})
