"""Reliability, compared by what is drawn."""

import numpy as np
import pytest
from given_axes import assert_drawn_in_place

from skcifar import ReliabilityDisplay

# of the surest ten one is wrong; of the others, who are 0.55 sure, five
CONFIDENCES = np.repeat([0.95, 0.55], 10)
RIGHT = np.array([True] * 9 + [False] + [True, False] * 5)
Y_PROBA = np.column_stack([CONFIDENCES, 1 - CONFIDENCES])
Y_TRUE = np.where(RIGHT, "cat", "dog")


class Knows:
    classes_ = np.array(["cat", "dog"])

    def predict_proba(self, X):
        return Y_PROBA[: len(X)]


@pytest.fixture
def display():
    return ReliabilityDisplay.from_predictions(Y_TRUE, Y_PROBA)


def test_accuracy_of_each_bin_is_drawn_over_its_mean_confidence(display):
    points = display.axes_[0].containers[0].lines[0]
    np.testing.assert_allclose(points.get_xdata(), [0.55, 0.95])
    np.testing.assert_allclose(points.get_ydata(), [0.5, 0.9])


def test_estimator_is_drawn_as_its_predictions_are(display):
    drawn = ReliabilityDisplay.from_estimator(Knows(), np.zeros((20, 2, 2, 3)), Y_TRUE)
    np.testing.assert_array_equal(drawn.confidences, display.confidences)
    np.testing.assert_array_equal(drawn.right, display.right)


def test_accuracies_have_intervals(display):
    from skcifar import accuracy_interval

    (bars,) = display.axes_[0].containers[0].lines[2]
    low, high = bars.get_segments()[1][:, 1]
    assert (low, high) == pytest.approx(accuracy_interval([1] * 10, [1] * 9 + [0]))


def test_legend_covers_no_point():
    confidences = np.repeat([0.15, 0.25, 0.95], 10)
    right = np.repeat([True, False, True, False], [9, 1, 9, 11])
    display = ReliabilityDisplay(confidences=confidences, right=right).plot()
    display.figure_.canvas.draw()
    diagram = display.axes_[0]
    points = diagram.transData.transform(diagram.containers[0].lines[0].get_xydata())
    assert diagram.get_legend().get_window_extent().count_contains(points) == 0


def test_samples_of_each_bin_are_counted(display):
    texts = [text.get_text() for text in display.axes_[1].texts]
    assert [text for text in texts if text] == ["10", "10"]


def test_error_is_in_the_title(display):
    title = display.axes_[0].get_title()
    assert title.startswith("Calibration error 0.050 (0.000 to 0.0")


def test_title_says_how_many_are_answered():
    display = ReliabilityDisplay.from_predictions(Y_TRUE, Y_PROBA, precision=0.9)
    assert display.axes_[2].get_title() == "At 90 % right: 10 of 20 answered"
    labels = [text.get_text() for text in display.axes_[2].get_legend().get_texts()]
    assert labels == ["accuracy of answers", "90 % right", "from probability 0.95 on"]


def test_nothing_may_be_answered(display):
    assert display.axes_[2].get_title() == "At 95 % right: 0 of 20 answered"


def test_whoever_is_always_right_can_be_drawn():
    display = ReliabilityDisplay.from_predictions([0, 1], np.eye(2))
    assert display.axes_[2].get_title() == "At 95 % right: 2 of 2 answered"


def test_panels_take_the_place_of_given_axes():
    def draw(axes):
        return ReliabilityDisplay.from_predictions(Y_TRUE, Y_PROBA, ax=axes)

    assert_drawn_in_place(draw, layout="constrained")


def test_estimator_without_probabilities_is_refused():
    with pytest.raises(ValueError, match="object has no predict_proba"):
        ReliabilityDisplay.from_estimator(object(), np.zeros((20, 2, 2, 3)), Y_TRUE)


@pytest.mark.parametrize(("name", "value"), [("n_bins", 0), ("precision", 1.5)])
def test_numbers_that_make_no_sense_are_refused(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of ReliabilityDisplay"):
        ReliabilityDisplay.from_predictions(Y_TRUE, Y_PROBA, **{name: value})
