"""Models side by side, compared by what is drawn."""

from itertools import pairwise

import numpy as np
import pytest
from given_axes import assert_drawn_in_place
from sklearn.base import BaseEstimator
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline

from skcifar import ComparisonDisplay, ImageFlattener
from skcifar.displays import RIGHT_COLOR, WRONG_COLOR

CLASSES = np.array(["cat", "dog", "frog"])
HISTORY = {"loss": [2.0, 1.0], "accuracy": [0.4, 0.6]}
VALIDATED = HISTORY | {"val_loss": [2.0, 2.0], "val_accuracy": [0.3, 0.2]}


@pytest.fixture
def y():
    return CLASSES[np.random.default_rng(0).integers(0, 3, 60)]


@pytest.fixture
def X(y):  # noqa: N802 (scikit-learn's name for the samples)
    """Pictures whose first pixel is their number."""
    X = np.random.default_rng(1).integers(0, 256, size=(len(y), 4, 4, 3), dtype=np.uint8)
    X[:, 0, 0, 0] = np.arange(len(y))
    return X


@pytest.fixture
def y_pred(y):
    """The first is wrong on 10 to 39, the second on 30 to 59."""
    other = {"cat": "dog", "dog": "frog", "frog": "cat"}
    wrong = np.array([other[label] for label in y])
    rows = np.arange(len(y))
    return {
        "first": np.where((rows >= 10) & (rows < 40), wrong, y),
        "second": np.where(rows >= 30, wrong, y),
    }


def numbers_of(axes):
    return np.array([ax.images[0].get_array()[0, 0, 0] for ax in axes])


def written(display):
    return [text.get_text() for axes in display.figure_.axes for text in axes.texts]


class Model(BaseEstimator):
    """Predicts what it was given, since its pictures hold their number."""

    classes_ = CLASSES

    def __init__(self, labels, history=None):
        self.labels = labels
        if history:
            self.history_ = history

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return self.labels[X.reshape(len(X), -1)[:, 0]]


def test_pictures_are_half_of_those_on_which_only_one_is_right(X, y, y_pred):
    display = ComparisonDisplay.from_predictions(X, y, y_pred, n_images=6, random_state=0)
    numbers = numbers_of(display.axes_["pictures"])
    only_second = (numbers >= 10) & (numbers < 30)
    only_first = numbers >= 40
    assert only_first.tolist() == [True] * 3 + [False] * 3
    assert only_second.tolist() == [False] * 3 + [True] * 3
    assert "Of 60 pictures, only first is right on 20 and only second is right on 20" in written(
        display
    )


def test_what_one_model_lacks_the_other_fills(X, y, y_pred):
    y_pred["second"] = np.where(np.arange(60) == 15, y, y_pred["first"])
    y_pred["second"][:10] = y_pred["first"][[*range(10)]]
    y_pred["second"][45:] = np.roll(CLASSES, 1)[np.searchsorted(CLASSES, y[45:])]
    for names in (("first", "second"), ("second", "first")):
        display = ComparisonDisplay.from_predictions(
            X, y, {name: y_pred[name] for name in names}, n_images=8, random_state=0
        )
        numbers = numbers_of(display.axes_["pictures"])
        assert len(set(numbers)) == 8
        assert np.count_nonzero(numbers == 15) == 1
        assert np.count_nonzero(numbers >= 45) == 7


def test_fewer_pictures_than_requested_are_all_drawn(X, y, y_pred):
    display = ComparisonDisplay.from_predictions(X, y, y_pred, n_images=100, random_state=0)
    assert sorted(numbers_of(display.axes_["pictures"])) == [*range(10, 30), *range(40, 60)]


def test_under_each_picture_stands_what_each_model_said(X, y, y_pred):
    display = ComparisonDisplay.from_predictions(X, y, y_pred, n_images=4, random_state=0)
    for axes in display.axes_["pictures"]:
        number = axes.images[0].get_array()[0, 0, 0]
        actual, first, second = axes.texts[:3]
        assert actual.get_text() == y[number]
        for text, name in ((first, "first"), (second, "second")):
            right = y_pred[name][number] == y[number]
            assert text.get_text() == f"{'✓' if right else '✗'} {y_pred[name][number]}"
            assert text.get_color() == (RIGHT_COLOR if right else WRONG_COLOR)
    headers = [text.get_text() for text in display.axes_["pictures"][0].texts[3:]]
    assert headers == ["actual", "first", "second"]


def test_of_three_models_some_are_right_on_each_picture(X, y, y_pred):
    y_pred["third"] = y.copy()
    y_pred["third"][35:] = y_pred["second"][35:]
    display = ComparisonDisplay.from_predictions(X, y, y_pred, n_images=60, random_state=0)
    numbers = numbers_of(display.axes_["pictures"])
    assert sorted(numbers) == [*range(10, 35), *range(40, 60)]
    assert "Some are right and some wrong on 45 of 60 pictures" in written(display)


def test_models_that_never_differ_are_a_statement(X, y, y_pred):
    same = {"one": y_pred["first"], "another": y_pred["first"]}
    display = ComparisonDisplay.from_predictions(X, y, same)
    assert len(display.axes_["pictures"]) == 0
    assert "No picture of 60 on which only some are right" in written(display)


def test_random_state_chooses_the_pictures(X, y, y_pred):
    def chosen(seed):
        display = ComparisonDisplay.from_predictions(X, y, y_pred, random_state=seed)
        return numbers_of(display.axes_["pictures"]).tolist()

    assert chosen(0) == chosen(0) != chosen(1)


def test_confusions_are_percent_of_the_actual_class(X, y, y_pred):
    display = ComparisonDisplay.from_predictions(X, y, y_pred)
    for axes, (name, labels) in zip(display.axes_["confusions"], y_pred.items(), strict=True):
        expected = 100 * confusion_matrix(y, labels, normalize="true")
        np.testing.assert_allclose(axes.images[0].get_array(), expected)
        assert [text.get_text() for text in axes.texts] == [f"{v:.0f}" for v in expected.ravel()]
        assert [t.get_text() for t in axes.get_yticklabels()] == CLASSES.tolist()
        assert axes.images[0].get_clim() == (0, 100)
        assert axes.get_title() == f"{name}: 50.0 % right"


def test_classes_are_in_the_order_that_is_given(X, y, y_pred):
    classes = ["frog", "unseen", "dog", "cat"]
    display = ComparisonDisplay.from_predictions(X, y, y_pred, classes=classes)
    axes = display.axes_["confusions"][0]
    assert [t.get_text() for t in axes.get_xticklabels()] == classes
    assert axes.images[0].get_array()[1].tolist() == [0] * 4


def test_confusions_of_many_classes_have_no_numbers(X):
    y = np.arange(60) % 20
    display = ComparisonDisplay.from_predictions(X, y, {"a": y, "b": y[::-1]})
    assert not display.axes_["confusions"][0].texts


@pytest.mark.slow
@pytest.mark.parametrize("n_models", [2, 3])
def test_names_of_many_classes_can_be_read_and_stay_apart(X, n_models):
    y = np.array([f"class {number}" for number in range(30)] * 2)
    y_pred = {f"model {number}": np.roll(y, number) for number in range(n_models)}
    display = ComparisonDisplay.from_predictions(X, y, y_pred)
    display.figure_.canvas.draw()
    axes = display.axes_["confusions"][0]
    for labels, side in ((axes.get_yticklabels(), "y"), (axes.get_xticklabels(), "x")):
        assert [text.get_text() for text in labels] == sorted(set(y))[::2]
        assert all(text.get_size() >= 6.5 for text in labels)
        boxes = [text.get_window_extent() for text in labels]
        spans = sorted((getattr(box, f"{side}0"), getattr(box, f"{side}1")) for box in boxes)
        assert all(one[1] <= two[0] + 1 for one, two in pairwise(spans))


def test_learning_curves_are_those_of_models_that_have_some(X, y, y_pred):
    histories = {"first": VALIDATED, "second": None}
    display = ComparisonDisplay.from_predictions(X, y, y_pred, histories=histories)
    (axes,) = display.axes_["curves"]
    training, validation = axes.get_lines()
    assert [line.get_label() for line in (training, validation)] == [
        "first, training",
        "first, validation",
    ]
    assert training.get_xdata().tolist() == [1, 2]
    assert training.get_ydata() == pytest.approx(VALIDATED["accuracy"])
    assert validation.get_ydata() == pytest.approx(VALIDATED["val_accuracy"])
    assert training.get_linestyle() != validation.get_linestyle()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "accuracy")


def test_curves_of_models_differ_in_colour_and_marker(X, y, y_pred):
    histories = {"first": HISTORY, "second": HISTORY}
    display = ComparisonDisplay.from_predictions(X, y, y_pred, histories=histories)
    first, second = display.axes_["curves"][0].get_lines()
    assert first.get_color() != second.get_color()
    assert first.get_marker() != second.get_marker()


def test_curves_of_six_models_differ_though_there_are_five_colours(X, y, y_pred):
    six = {f"model {number}": y_pred["first"] for number in range(6)}
    histories = dict.fromkeys(six, HISTORY)
    display = ComparisonDisplay.from_predictions(X, y, six, histories=histories)
    lines = display.axes_["curves"][0].get_lines()
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 6


def test_history_of_something_else_is_left_out(X, y, y_pred):
    histories = {"first": HISTORY, "second": {"r2": [0.1, 0.2]}}
    display = ComparisonDisplay.from_predictions(X, y, y_pred, histories=histories)
    assert len(display.axes_["curves"][0].get_lines()) == 1


def test_without_histories_there_are_no_curves(X, y, y_pred):
    display = ComparisonDisplay.from_predictions(X, y, y_pred, histories={"first": None})
    assert len(display.axes_["curves"]) == 0


def test_estimators_predict_and_bring_their_histories(X, y, y_pred):
    models = {
        "first": make_pipeline(ImageFlattener().fit(X), Model(y_pred["first"], HISTORY)),
        "second": Model(y_pred["second"]),
    }
    display = ComparisonDisplay.from_estimators(models, X, y, random_state=0)
    reported = ComparisonDisplay.from_predictions(X, y, y_pred, random_state=0)
    for name, labels in y_pred.items():
        np.testing.assert_array_equal(display.y_pred[name], labels)
    assert display.histories == {"first": HISTORY, "second": None}
    pictures = [numbers_of(shown.axes_["pictures"]).tolist() for shown in (display, reported)]
    assert pictures[0] == pictures[1]


def test_stored_data_are_drawn(X, y, y_pred):
    display = ComparisonDisplay(images=X, y_true=y, y_pred=y_pred, histories={"first": HISTORY})
    assert display.plot(n_images=3) is display
    assert [len(axes) for axes in display.axes_.values()] == [1, 2, 3]


def test_names_of_models_stay_apart(X, y, y_pred):
    names = ["a network of many layers, number 1", "a network of many layers, number 2"]
    y_pred = dict(zip(names, y_pred.values(), strict=True))
    display = ComparisonDisplay.from_predictions(X, y, y_pred, random_state=0)
    display.figure_.canvas.draw()
    left, right = (axes.title.get_window_extent() for axes in display.axes_["confusions"])
    assert left.x1 < right.x0
    headers = [text.get_text() for text in display.axes_["pictures"][0].texts[4:]]
    assert len(set(headers)) == 2


def test_names_with_the_same_ends_are_numbered(X, y, y_pred):
    names = [f"a network of many layers, number {number} of them" for number in (1, 2)]
    y_pred = dict(zip(names, y_pred.values(), strict=True))
    display = ComparisonDisplay.from_predictions(X, y, y_pred, random_state=0)
    titles = [axes.get_title()[:3] for axes in display.axes_["confusions"]]
    assert titles == ["1 a", "2 a"]
    y_pred = {"a b": y, "a  b": y[::-1]}
    assert len(ComparisonDisplay.from_predictions(X, y, y_pred).axes_["confusions"]) == 2


def test_names_are_no_formulas(X, y):
    y = np.where(y == "cat", "$x^$", y)
    y_pred = {"$a^$": y, "$b^$": np.roll(y, 1)}
    histories = dict.fromkeys(y_pred, HISTORY)
    display = ComparisonDisplay.from_predictions(X, y, y_pred, histories=histories)
    display.figure_.canvas.draw()  # would be an error


def test_comparison_takes_the_place_of_given_axes(X, y, y_pred):
    def draw(axes):
        histories = {"first": HISTORY}
        return ComparisonDisplay.from_predictions(X, y, y_pred, histories=histories, ax=axes)

    assert_drawn_in_place(draw, layout="constrained", figsize=(20, 12))


def test_grey_pictures_are_drawn_in_grey(X, y, y_pred):
    for grey in (X[..., 0], X[..., :1]):
        display = ComparisonDisplay.from_predictions(grey, y, y_pred)
        assert display.axes_["pictures"][0].images[0].get_cmap().name == "gray"


@pytest.mark.parametrize("n_channels", [2, 4, 5])
def test_channels_that_are_no_colours_are_refused(y, y_pred, n_channels):
    with pytest.raises(ValueError, match=f"which has {n_channels}"):
        ComparisonDisplay.from_predictions(np.zeros((60, 4, 4, n_channels)), y, y_pred)


def test_no_estimators_are_no_comparison(X, y):
    with pytest.raises(ValueError, match="at least two models, got 0"):
        ComparisonDisplay.from_estimators({}, X, y)


def test_one_model_is_no_comparison(X, y):
    with pytest.raises(ValueError, match=r"at least two models, got 1: \['alone'\]"):
        ComparisonDisplay.from_predictions(X, y, {"alone": y})


def test_predictions_of_other_pictures_are_refused(X, y, y_pred):
    with pytest.raises(ValueError, match="second predicted 59 pictures, but there are 60"):
        ComparisonDisplay.from_predictions(X, y, y_pred | {"second": y[1:]})
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ComparisonDisplay.from_predictions(X[1:], y, y_pred)


def test_labels_of_no_class_are_refused(X, y, y_pred):
    with pytest.raises(ValueError, match="not among the classes: frog"):
        ComparisonDisplay.from_predictions(X, y, y_pred, classes=["cat", "dog"])


def test_labels_that_no_estimator_knows_are_refused(X, y, y_pred):
    models = {name: Model(labels) for name, labels in y_pred.items()}
    with pytest.raises(ValueError, match="not among the classes: bird"):
        ComparisonDisplay.from_estimators(models, X, np.where(y == "cat", "bird", y))


def test_numbers_and_names_are_not_mixed(X, y, y_pred):
    with pytest.raises(ValueError, match="Mix of label input types"):
        ComparisonDisplay.from_predictions(X, np.searchsorted(CLASSES, y), y_pred)


def test_history_of_an_unknown_model_is_refused(X, y, y_pred):
    with pytest.raises(ValueError, match="history of third, but predictions only of first, second"):
        ComparisonDisplay.from_predictions(X, y, y_pred, histories={"third": HISTORY})


def test_no_pictures_cannot_be_requested(X, y, y_pred):
    with pytest.raises(ValueError, match="'n_images' parameter of ComparisonDisplay"):
        ComparisonDisplay.from_predictions(X, y, y_pred, n_images=0)
