"""When training ends by itself, and with which weights."""

import numpy as np
import pytest
from small_networks import small


def contrary(blobs):
    """Blobs, and labels to validate on that are the worse predicted the more is learned."""
    X, y = blobs
    return X, y, X, 1 - y


@pytest.mark.parametrize("tol", [0, 1e-4])
def test_training_without_progress_ends(blobs, tol):
    params = {"early_stopping": True, "n_iter_no_change": 3, "tol": tol}
    classifier = small(learning_rate=1e-12, epochs=50, **params).fit(*blobs)
    assert classifier.n_iter_ == 4
    assert classifier.best_iter_ == 1
    assert len(classifier.history_["val_accuracy"]) == 4


def test_progress_has_to_exceed_tol(blobs):
    classifier = small(early_stopping=True, tol=1.0, n_iter_no_change=2, epochs=50)
    assert classifier.fit(*blobs).n_iter_ == 3


@pytest.mark.parametrize("n_iter_no_change", [5, 1000])  # before the epochs are over, or not
def test_weights_of_the_best_epoch_come_back(blobs, n_iter_no_change):
    X, y, X_val, y_val = contrary(blobs)
    params = {"early_stopping": True, "n_iter_no_change": n_iter_no_change}
    classifier = small(learning_rate=0.005, epochs=20, **params)
    classifier.fit(X, y, X_val=X_val, y_val=y_val)
    scores = classifier.history_["val_accuracy"]
    assert scores[-1] < max(scores)  # or else the test shows nothing
    assert (classifier.n_iter_ == 20) == (n_iter_no_change == 1000)
    assert classifier.best_iter_ == np.argmax(scores) + 1
    assert classifier.best_validation_score_ == max(scores) == classifier.score(X_val, y_val)


def test_the_last_weights_stay_without_early_stopping(blobs):
    X, y, X_val, y_val = contrary(blobs)
    classifier = small(epochs=20).fit(X, y, X_val=X_val, y_val=y_val)
    scores = classifier.history_["val_accuracy"]
    assert classifier.score(X_val, y_val) == scores[-1] < max(scores)
    assert classifier.best_validation_score_ == max(scores)


def test_a_tenth_is_held_out_where_nothing_else_is_said(blobs):
    X, y = blobs
    classifier = small(early_stopping=True, epochs=1).fit(X, y)
    held_out = classifier.history_["val_accuracy"][0] * 4
    assert held_out == round(held_out)  # of 4 samples
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 of 8 samples"):
        classifier.fit(X[16:24], y[16:24])


def test_partial_fit_does_not_stop_early(blobs):
    with pytest.raises(ValueError, match=r"^early_stopping=True is not supported for partial_fit"):
        small(early_stopping=True).partial_fit(*blobs, classes=[0, 1])
