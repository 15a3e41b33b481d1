"""When training ends by itself, and with which weights."""

import numpy as np
import pytest
from small_networks import small

from skcifar.classifiers._validation_set import hold_out


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


@pytest.mark.parametrize("n_of_rarest", [1, 2, 9])
def test_rare_class_is_trained_on_and_held_out_as_far_as_it_goes(blobs, n_of_rarest):
    y = blobs[1][: 20 + n_of_rarest]
    if n_of_rarest < 5:
        with pytest.warns(UserWarning, match=rf"the rarest, 1, has {n_of_rarest}\."):
            is_held_out = hold_out(y, None, validation_fraction=0.1, seed=0)
    else:
        is_held_out = hold_out(y, None, validation_fraction=0.1, seed=0)
    assert is_held_out.sum() == 3
    assert (y[~is_held_out] == 1).any()


def test_partial_fit_does_not_stop_early(blobs):
    with pytest.raises(ValueError, match=r"^early_stopping=True is not supported for partial_fit"):
        small(early_stopping=True).partial_fit(*blobs, classes=[0, 1])


def test_few_samples_of_a_class_do_not_keep_training_from_stopping_early(blobs):
    X, y = (array[:22] for array in blobs)
    with pytest.warns(UserWarning, match="holds out none of 1 of 2 classes"):
        classifier = small(early_stopping=True, epochs=1).fit(X, y)
    assert len(classifier.history_["val_accuracy"]) == 1


def test_large_share_leaves_a_sample_of_each_class_to_train_on():
    y = np.array([0, 1, 1, 1, 1, 2, 2])
    with pytest.warns(UserWarning, match="holds out none of 1 of 3 classes"):
        is_held_out = hold_out(y, None, validation_fraction=0.8, seed=0)
    assert sorted(y[~is_held_out]) == [0, 1, 2]


def test_nothing_to_hold_out_is_refused():
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 of 3 samples holds out none"):
        hold_out(np.arange(3), None, validation_fraction=0.1, seed=0)
