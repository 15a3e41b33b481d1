"""Pictures, compared by what they show."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from given_axes import assert_drawn_in_place
from sklearn.exceptions import DataConversionWarning

from skcifar import PredictionGridDisplay, TrainingHistoryDisplay
from skcifar.displays import RIGHT_COLOR, WRONG_COLOR

HISTORY = {"loss": [2.0, 1.5, 1.2], "accuracy": [0.3, 0.4, 0.55]}


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(12, 4, 4, 3), dtype=np.uint8)


@pytest.fixture
def actual():
    return np.array(["cat", "dog"] * 6)


class AlwaysCat:
    def predict(self, X):
        return np.full(len(X), "cat")


class SureOfCat(AlwaysCat):
    classes_ = np.array(["ant", "cat", "dog"])

    def predict_proba(self, X):
        return np.tile([0.05, 0.7, 0.25], (len(X), 1))


def written_under(axes):
    return [text.get_text() for text in axes.texts]


def test_ten_pictures_stand_in_a_row(images, actual):
    display = PredictionGridDisplay.from_predictions(images, actual, actual)
    assert len(display.axes_) == 10
    assert len({axes.get_subplotspec().rowspan.start for axes in display.axes_}) == 1


def test_prediction_and_actual_class_stand_under_each_picture(images, actual):
    display = PredictionGridDisplay.from_estimator(AlwaysCat(), images, actual, random_state=0)
    for axes, label in zip(display.axes_, display.y_true, strict=True):
        mark = "✓" if label == "cat" else "✗"
        assert written_under(axes)[:2] == [f"{mark} cat", label]


def test_probability_is_reported_where_the_estimator_knows_it(images, actual):
    display = PredictionGridDisplay.from_estimator(SureOfCat(), images, actual, random_state=0)
    assert {axes.texts[1].get_text() for axes in display.axes_} == {"0.70"}
    headers = written_under(display.axes_[0])[3:]
    assert headers == ["predicted", "probability", "actual"]
    display = PredictionGridDisplay.from_estimator(AlwaysCat(), images, actual, random_state=0)
    assert written_under(display.axes_[0])[2:] == ["predicted", "actual"]


def test_probability_is_that_of_the_predicted_class_in_any_order(images, actual):
    estimator = SureOfCat()
    estimator.classes_ = np.array(["dog", "cat", "ant"])
    display = PredictionGridDisplay.from_estimator(estimator, images, actual)
    np.testing.assert_array_equal(display.probabilities, 0.7)


@pytest.mark.parametrize("all_classes", [False, True])
def test_probabilities_follow_the_pictures_that_were_chosen(images, actual, all_classes):
    probabilities = np.linspace(0.5, 1, 12)
    given = np.stack([probabilities, 1 - probabilities], axis=1) if all_classes else probabilities
    display = PredictionGridDisplay.from_predictions(
        images, actual, actual, y_proba=given, n_images=4, random_state=0
    )
    rows = [np.flatnonzero((images == image).all((1, 2, 3)))[0] for image in display.images]
    np.testing.assert_array_equal(display.probabilities, probabilities[rows])


def test_probabilities_of_other_pictures_are_refused(images, actual):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PredictionGridDisplay.from_predictions(images, actual, actual, y_proba=[0.5])


@pytest.mark.parametrize(
    "names", [["automobile"] * 12, ["golden retriever of the neighbours"] * 12]
)
@pytest.mark.parametrize("n_columns", [4, 10])
def test_long_names_do_not_run_into_their_neighbours(images, names, n_columns):
    display = PredictionGridDisplay.from_predictions(images, names, names, n_columns=n_columns)
    display.figure_.canvas.draw()
    boxes = [axes.texts[0].get_window_extent() for axes in display.axes_[:n_columns]]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_a_name_is_cut_only_where_it_must_be(images):
    display = PredictionGridDisplay.from_predictions(images, ["frog"] * 12, ["cat" * 20] * 12)
    predicted, actual, *_ = written_under(display.axes_[0])
    assert predicted.startswith("✗ catcat")
    assert predicted.endswith("…")
    assert actual == "frog"


def test_right_and_wrong_differ_in_colour_too(images, actual):
    display = PredictionGridDisplay.from_estimator(AlwaysCat(), images, actual, random_state=0)
    colors = {axes.texts[0].get_text()[0]: axes.texts[0].get_color() for axes in display.axes_}
    assert colors == {"✓": RIGHT_COLOR, "✗": WRONG_COLOR}


def test_pictures_are_those_of_the_data(images, actual):
    display = PredictionGridDisplay(images=images, y_true=actual, y_pred=actual).plot()
    for axes, image in zip(display.axes_, images, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)


def test_random_state_chooses_the_pictures(images, actual):
    def chosen(seed):
        display = PredictionGridDisplay.from_predictions(
            images, actual, actual, n_images=4, random_state=seed
        )
        return display.images.tobytes()

    assert chosen(0) == chosen(0) != chosen(1)


def test_grid_has_as_many_columns_as_requested(images, actual):
    display = PredictionGridDisplay.from_predictions(images, actual, actual, n_columns=4)
    places = [axes.get_subplotspec() for axes in display.axes_]
    assert [p.colspan.start for p in places] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert [p.rowspan.start for p in places] == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_grey_pictures_are_drawn_in_grey(images, actual):
    display = PredictionGridDisplay.from_predictions(images[..., 0], actual, actual)
    assert display.axes_[0].images[0].get_cmap().name == "gray"


@pytest.mark.parametrize("layout", ["constrained", None])
@pytest.mark.parametrize("n_columns", [2, 5])
def test_grid_takes_the_place_of_given_axes(images, actual, layout, n_columns):
    def draw(axes):
        return PredictionGridDisplay.from_predictions(
            images, actual, actual, n_images=5, n_columns=n_columns, ax=axes
        )

    assert_drawn_in_place(draw, layout=layout)


def test_grid_takes_axes_that_were_put_somewhere_by_hand(images, actual):
    figure = plt.figure()
    axes = figure.add_axes([0.5, 0.5, 0.5, 0.5])
    display = PredictionGridDisplay.from_predictions(images, actual, actual, ax=axes)
    assert all(ax.get_position().x0 >= 0.5 for ax in display.axes_)


def test_grey_is_not_stretched():
    dark = np.full((1, 4, 4, 1), 10)
    display = PredictionGridDisplay.from_predictions(dark, ["dog"], ["dog"])
    assert display.axes_[0].images[0].get_cmap().name == "gray"
    assert display.axes_[0].images[0].get_clim() == (0, 255)


def test_class_names_are_no_formulas(images):
    names = np.array(["$x^$"] * 12)
    display = PredictionGridDisplay.from_predictions(images, names, names)
    display.figure_.canvas.draw()
    assert written_under(display.axes_[0])[1] == "$x^$"


@pytest.mark.parametrize("parameter", ["n_images", "n_columns"])
def test_none_of_a_thing_cannot_be_drawn(images, actual, parameter):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of PredictionGridDisplay"):
        PredictionGridDisplay.from_predictions(images, actual, actual, **{parameter: 0})


def test_no_pictures_are_refused(images):
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        PredictionGridDisplay.from_predictions(images[:0], [], [])


def test_rows_are_no_pictures(images, actual):
    with pytest.raises(ValueError, match=r"Expected pictures .* got X of shape \(12, 48\)"):
        PredictionGridDisplay.from_predictions(images.reshape(12, -1), actual, actual)


@pytest.mark.parametrize("n_channels", [2, 4, 5])
def test_channels_that_are_no_colours_are_refused(actual, n_channels):
    images = np.zeros((12, 4, 4, n_channels), np.uint8)
    with pytest.raises(ValueError, match=f"1 channel .* or 3 .* which has {n_channels}"):
        PredictionGridDisplay.from_predictions(images, actual, actual)


def test_fewer_labels_than_pictures_are_refused(images, actual):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PredictionGridDisplay.from_predictions(images, actual, actual[:5])


def test_history_is_drawn_by_epoch():
    display = TrainingHistoryDisplay(history=HISTORY).plot()
    assert len(display.axes_) == 2
    for axes, name in zip(display.axes_, ("loss", "accuracy"), strict=True):
        assert axes.get_ylabel() == name
        assert axes.get_xlabel() == "epoch"
        (line,) = axes.get_lines()
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert line.get_ydata() == pytest.approx(HISTORY[name])


def test_validation_is_drawn_beside_training():
    history = HISTORY | {"val_loss": [np.nan, 1.6, 1.4], "val_accuracy": [np.nan, 0.4, np.nan]}
    display = TrainingHistoryDisplay(history=history).plot()
    for axes, name in zip(display.axes_, ("loss", "accuracy"), strict=True):
        training, validation, best = axes.get_lines()
        np.testing.assert_array_equal(training.get_ydata(), history[name])
        np.testing.assert_array_equal(validation.get_ydata(), history[f"val_{name}"])
        assert training.get_color() != validation.get_color()
        assert training.get_marker() != validation.get_marker()
        names = [text.get_text() for text in axes.get_legend().get_texts()]
        assert names == ["training", "validation", "best epoch (2)"]
        assert (best.get_xdata(), best.get_ydata()) == ([2], [history[f"val_{name}"][1]])
    assert written_under(display.axes_[1]) == ["0.550", "0.400"]


def test_best_epoch_is_the_first_of_equals():
    history = HISTORY | {"val_loss": [3.0, 2.0, 1.0], "val_accuracy": [0.2, 0.6, 0.6]}
    display = TrainingHistoryDisplay(history=history).plot()
    assert display.axes_[0].get_lines()[-1].get_label() == "best epoch (2)"


def test_no_epoch_is_the_best_where_nothing_was_validated():
    history = HISTORY | {"val_loss": [np.nan] * 3, "val_accuracy": [np.nan] * 3}
    display = TrainingHistoryDisplay(history=history).plot()
    assert len(display.axes_[0].get_lines()) == 2


@pytest.mark.parametrize(("n_epochs", "n_markers"), [(20, 20), (60, 20), (500, 25)])
def test_markers_of_epochs_stay_few(n_epochs, n_markers):
    values = np.linspace(0.1, 0.9, n_epochs)
    display = TrainingHistoryDisplay(history={"loss": values, "accuracy": values}).plot()
    (line,) = display.axes_[0].get_lines()
    assert len(line.get_markevery()) == n_markers


def test_an_epoch_without_neighbours_is_marked():
    values = np.full(60, np.nan)
    values[17] = 0.5
    history = {"loss": np.ones(60), "accuracy": np.ones(60), "val_loss": values}
    display = TrainingHistoryDisplay(history=history | {"val_accuracy": values}).plot()
    assert 17 in display.axes_[0].get_lines()[1].get_markevery()


def test_history_comes_from_the_last_step_of_a_pipeline():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = AlwaysCat()
    classifier.history_ = HISTORY
    display = TrainingHistoryDisplay.from_estimator(make_pipeline(StandardScaler(), classifier))
    assert display.history == HISTORY


def test_estimator_without_history_is_refused():
    with pytest.raises(ValueError, match="AlwaysCat has no history_ to draw"):
        TrainingHistoryDisplay.from_estimator(AlwaysCat())


def test_history_is_drawn_as_far_as_it_goes():
    display = TrainingHistoryDisplay(history={"loss": [2.0, 1.0], "val_loss": [2.0, 3.0]}).plot()
    (axes,) = display.axes_
    assert axes.get_ylabel() == "loss"
    assert [line.get_label() for line in axes.get_lines()] == ["training", "validation"]


def test_history_of_something_else_is_refused():
    with pytest.raises(ValueError, match="no history with a loss or an accuracy"):
        TrainingHistoryDisplay(history={"r2": [0.1, 0.2]}).plot()


@pytest.mark.parametrize(
    ("n_epochs", "ticks"),
    [
        (1, [1]),
        (2, [1, 2]),
        (7, [*range(1, 8)]),
        (20, [5, 10, 15, 20]),
        (100, [*range(20, 101, 20)]),
    ],
)
def test_only_epochs_that_there_were_are_numbered(n_epochs, ticks):
    values = np.linspace(0.1, 0.9, n_epochs)
    display = TrainingHistoryDisplay(history={"loss": values, "accuracy": values}).plot()
    display.figure_.canvas.draw()
    assert [int(tick.get_text()) for tick in display.axes_[0].get_xticklabels()] == ticks


def test_curves_take_the_place_of_given_axes():
    def draw(axes):
        return TrainingHistoryDisplay(history=HISTORY).plot(ax=axes)

    assert_drawn_in_place(draw, layout="constrained")


def test_column_of_labels_is_taken_as_labels_with_a_warning(images, actual):
    with pytest.warns(DataConversionWarning):
        display = PredictionGridDisplay.from_predictions(
            images, np.asarray(actual)[:, None], actual, n_images=2
        )
    assert display.y_true.ndim == 1
