"""The pictures that commands leave: what each shows, how it is read, and how it is drawn.

A new one is one more function here. They stand in the order in which the page shows them.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

N_IMAGES = 10  # as in the article's row of predictions
N_UNITS = 20  # of the first layer


class Picture(NamedTuple):
    """A picture: its text for those who cannot see it, its caption, and what makes its display."""

    alt: str
    caption: str
    make_display: Callable


class Predictions(NamedTuple):
    """What a model predicts for test pictures, and the pipeline where it was just trained."""

    X: Any
    y_true: np.ndarray
    y_proba: np.ndarray
    classes: np.ndarray
    filenames: Sequence | None = None
    random_state: int = 0
    pipeline: Any = None

    @property
    def y_pred(self):
        return self.classes[self.y_proba.argmax(axis=1)]


class Comparison(NamedTuple):
    """What several models predict for the same pictures, and how they were trained."""

    X: Any
    y_true: np.ndarray
    y_pred: dict
    histories: dict
    filenames: Sequence | None
    random_state: int


# by the names of their files
RUN, EVALUATION, COMPARISON, COMPARISON_OF_ONE, SEARCH = {}, {}, {}, {}, {}
MARKS = "Right predictions have a check mark and are blue, wrong ones have a cross and are orange."
WITH_CLASSES = (
    "with the predicted class, the actual class and the file or the index among the test pictures"
    " under each"
)


def picture(name, *folders, alt, caption):
    """Decorate a function that makes a display from what a command knows when it draws."""

    def add(make_display):
        for folder in folders:
            folder[name] = Picture(alt, caption, make_display)
        return make_display

    return add


@picture(
    "predictions.png",
    RUN,
    EVALUATION,
    alt="Test pictures, with the predicted class, its probability and the actual class under each",
    caption="Under each picture are the predicted class, its probability according to the network,"
    f" and the actual class. {MARKS}",
)
def _predictions(of):
    return _draw_grid(of, of.y_pred, y_proba=of.y_proba)


@picture(
    "learning_curves.png",
    RUN,
    alt="Two line charts: loss and accuracy against the epoch",
    caption="Loss and accuracy after each epoch of training; their last values are beside the"
    " curves.",
)
def _learning_curves(of):
    from ..displays import TrainingHistoryDisplay

    return TrainingHistoryDisplay(history=of.pipeline[-1].history_).plot()


@picture(
    "confusions.png",
    RUN,
    EVALUATION,
    alt="Two confusion matrices, of counts and of shares, and rows of pictures of the classes that"
    " are confused most",
    caption="How often each actual class, a row, is taken for each other, a column: as the number"
    " of test pictures, and in percent of the class. Below are pictures of the commonest mistakes.",
)
def _confusions(of):
    from ..displays import ConfusionsDisplay

    return ConfusionsDisplay.from_predictions(of.X, of.y_true, of.y_pred, classes=of.classes)


@picture(
    "mistakes.png",
    RUN,
    EVALUATION,
    alt=f"The surest mistakes on test pictures, {WITH_CLASSES}",
    caption="The pictures on which the network was surest, and wrong: the predicted and the actual"
    " class, with their probabilities, and the file, or the index among the test pictures.",
)
def _surest_mistakes(of, **params):
    from ..displays import MistakesDisplay

    params |= {"classes": of.classes, "filenames": of.filenames, "n_images": N_IMAGES}
    return MistakesDisplay.from_predictions(of.X, of.y_true, of.y_proba, **params)


@picture(
    "closest.png",
    RUN,
    EVALUATION,
    alt=f"The closest mistakes on test pictures, {WITH_CLASSES}",
    caption="Pictures that the network nearly got right: the actual class was almost as"
    " probable as the predicted one.",
)
def _closest_mistakes(of):
    return _surest_mistakes(of, which="doubtful")


@picture(
    "suspects.png",
    RUN,
    EVALUATION,
    alt=f"Pictures whose label is probably wrong, {WITH_CLASSES}",
    caption="Pictures whose label is probably wrong: the network is as sure of another class as it"
    " usually is for pictures of that class. The less accurate the network, the more of them are"
    " its own mistakes; it finds few among pictures that it was trained on.",
)
def _suspects(of):
    return _surest_mistakes(of, which="suspects")


@picture(
    "reliability.png",
    RUN,
    EVALUATION,
    alt="Two charts: the share that is right against the probability of the predicted class, and"
    " against the share of pictures that is answered",
    caption="On the left, how often the network is right where it is that sure; below the dashed"
    " line it is overconfident, and the bars count the pictures. On the right, how often it is"
    " right if it answers only where it is surest; the star marks where 95 % are right, judging by"
    " these pictures. skcifar predict --min-probability answers like that.",
)
def _reliability(of):
    from ..displays import ReliabilityDisplay

    return ReliabilityDisplay.from_predictions(of.y_true, of.y_proba, classes=of.classes)


@picture(
    "first_layer.png",
    RUN,
    alt="The weights of the first layer's units as small pictures, with a scale",
    caption="What the units of the first layer look for, the strongest first: each responds to"
    " pictures that look like it. Mid grey is a weight of 0.",
)
def _first_layer(of):
    from ..displays import FirstLayerDisplay

    return FirstLayerDisplay.from_estimator(of.pipeline, n_images=N_UNITS)


@picture(
    "comparison.png",
    COMPARISON,
    alt="Charts of the networks' accuracy against the epoch, of the classes that each confuses, and"
    " test pictures with what each network predicts for them",
    caption="Accuracy after each epoch of training, how often each class was taken for each other,"
    f" and test pictures with every network's prediction. {MARKS}",
)
def _comparison(of):
    from ..displays import ComparisonDisplay

    return ComparisonDisplay.from_predictions(
        of.X,
        of.y_true,
        of.y_pred,
        histories=of.histories,
        filenames=of.filenames,
        n_images=N_IMAGES,
        random_state=of.random_state,
    )


@picture(
    "comparison.png",
    COMPARISON_OF_ONE,
    alt="Test pictures, with the predicted and the actual class under each",
    caption=f"Under each picture are the predicted class, then the actual one. {MARKS}",
)
def _comparison_of_one(of):
    (y_pred,) = of.y_pred.values()
    return _draw_grid(of, y_pred)


@picture(
    "scores.png",
    SEARCH,
    alt="Charts of mean accuracy against each of the parameters that were searched",
    caption="Mean accuracy on the folds left out, and its spread, against each parameter.",
)
def _scores(search):
    from ..displays import SearchResultsDisplay

    return SearchResultsDisplay.from_search(search)


@picture(
    "learning_curves.png",
    SEARCH,
    alt="Line charts of loss and accuracy of the candidates against the epoch",
    caption="Learning curves of the candidates.",
)
def _learning_curves_of_candidates(search):
    from ..displays import SearchHistoriesDisplay

    return SearchHistoriesDisplay.from_search(search)


def _draw_grid(of, y_pred, y_proba=None):
    from ..displays import PredictionGridDisplay

    return PredictionGridDisplay.from_predictions(
        of.X,
        of.y_true,
        y_pred,
        y_proba=y_proba,
        filenames=of.filenames,
        n_images=N_IMAGES,
        random_state=of.random_state,
    )
