"""Labels and weights in the form in which networks take them."""

import keras
import numpy as np
from sklearn.utils import compute_class_weight

from .._sklearn.validation import check_sample_weight


def one_hot(y, classes):
    """Encode labels as rows that hold 1 for their class and 0 for all others."""
    return np.eye(len(classes), dtype=keras.config.floatx())[np.searchsorted(classes, y)]


def classes_to_fit(classifier, y, *, continues):
    """Return the classes of all samples, at least two and the same as before."""
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"{type(classifier).__name__} needs samples of at least 2 classes in the data, but the"
            f" data contains only one class: {classes[0]!r}."
        )
    if continues and not np.array_equal(classes, classifier.classes_):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous"
            f" call to fit. Previously got {classifier.classes_}, `y` has {classes}."
        )
    return classes


def classes_to_partial_fit(classifier, classes, *, begins):
    """Return the classes that ``partial_fit`` trains for."""
    if begins:
        classes = np.unique(classes)
        if len(classes) < 2:
            raise ValueError(
                f"{type(classifier).__name__} needs at least 2 classes, but `classes` contains only"
                f" one class: {classes[0]!r}."
            )
        return classes
    if classes is not None and not np.array_equal(np.unique(classes), classifier.classes_):
        raise ValueError(
            f"`classes={classes!r}` is not the same as on last call to partial_fit, was:"
            f" {classifier.classes_!r}"
        )
    return classifier.classes_


def check_labels(y, classes, *, message):
    """Raise if there are labels that are not among the classes."""
    # as lists, since NumPy would compare 10 with "10" as texts
    unknown = set(np.unique(y).tolist()) - set(classes.tolist())
    if unknown:
        raise ValueError(message.format(unknown=sorted(unknown, key=str), classes=classes))


def combine_weights(y, classes, class_weight, sample_weight):
    """Multiply the weights of samples by those of their classes."""
    if sample_weight is None and class_weight is None:
        return None
    weights = check_sample_weight(sample_weight, y, dtype=np.float64, copy=True)
    if class_weight is not None:
        # scikit-learn counts samples by their weights, and takes none for a dict
        counted = {"sample_weight": weights} if class_weight == "balanced" else {}
        of_class = compute_class_weight(class_weight, classes=classes, y=y, **counted)
        weights *= of_class[np.searchsorted(classes, y)]
    return check_sample_weight(weights, y, dtype=np.float64, ensure_non_negative=True)


def with_mean_of_one(weights):
    """Divide weights by the mean of those that are not 0."""
    if weights is None:
        return None
    n_samples = np.count_nonzero(weights)
    # The mean of all weights, not of each batch's, keeps a batch of light samples light.
    return weights * (n_samples / weights.sum())
