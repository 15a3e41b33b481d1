"""What a run reports of its test pictures beside loss and accuracy."""

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from ..model_selection._calibration import (
    PRECISION,
    answers_at_precision,
    error_with_interval,
    judge_answers,
)


def score_predictions(predictions, *, y_train=None):
    """Score how far the probabilities can be relied on, and the predictions class by class."""
    y_test, classes = predictions.y_true, predictions.classes
    confidences, right = judge_answers(y_test, predictions.y_proba, classes)
    error, *interval = error_with_interval(confidences, right)
    n_answers, least = answers_at_precision(confidences, right, PRECISION)
    return {
        "test_calibration_error": error,
        "test_calibration_error_interval": interval,
        "n_answers_at_95_percent": n_answers,
        "min_probability_at_95_percent": least,
        "by_class": _scores_by_class(y_train, y_test, predictions.y_pred, classes),
    }


def _scores_by_class(y_train, y_test, y_pred, classes):
    """Count the pictures of each class, and score what is predicted for those of the test."""
    n_train = [None if y_train is None else list(y_train).count(label) for label in classes]
    precision, recall, _, n_test = precision_recall_fscore_support(
        y_test, y_pred, labels=classes, zero_division=np.nan
    )
    columns = (n_train, n_test.tolist(), precision.tolist(), recall.tolist())
    names = ("n_train", "n_test", "precision", "recall")
    return {
        str(label): dict(zip(names, row, strict=True))
        for label, *row in zip(classes, *columns, strict=True)
    }
