"""What scikit-learn's own callbacks receive from training."""

import pickle

import numpy as np
import pytest
from recording import Recorder
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from small_networks import small, weights_of

from skcifar import PixelScaler


def test_each_epoch_is_a_task_within_fit(blobs):
    recorder = Recorder()
    small(epochs=3).set_callbacks(recorder).fit(*blobs)
    assert recorder.begun == ["setup", "fit", "epoch", "epoch", "epoch"]
    assert recorder.ended == ["epoch", "epoch", "epoch", "fit", "teardown"]


def test_callbacks_receive_what_is_trained_on(blobs):
    recorder = Recorder()
    weights = np.arange(1, 41)
    small().set_callbacks(recorder).fit(*blobs, sample_weight=weights)
    np.testing.assert_array_equal(recorder.X, blobs[0])
    np.testing.assert_array_equal(recorder.y, blobs[1])
    np.testing.assert_array_equal(recorder.metadata["sample_weight"], weights)


def test_held_out_samples_and_their_weights_are_not_reported(blobs):
    recorder = Recorder()
    classifier = small(validation_fraction=0.25).set_callbacks(recorder)
    classifier.fit(*blobs, sample_weight=np.ones(40))
    assert len(recorder.X) == len(recorder.y) == len(recorder.metadata["sample_weight"]) == 30


def test_callback_that_requests_to_stop_stops(blobs):
    classifier = small(epochs=9).set_callbacks(Recorder(n_epochs=2)).fit(*blobs)
    assert classifier.n_iter_ == 2
    np.testing.assert_array_equal(weights_of(classifier), weights_of(small(epochs=2).fit(*blobs)))


def test_callbacks_do_not_change_training(blobs):
    listened_to = small(dropout=0.5).set_callbacks(Recorder()).fit(*blobs)
    np.testing.assert_array_equal(
        weights_of(listened_to), weights_of(small(dropout=0.5).fit(*blobs))
    )


def test_callback_gets_the_classifier_as_it_was_after_each_epoch(blobs):
    recorder = Recorder()
    classifier = small(epochs=3, batch_normalization=True).set_callbacks(recorder).fit(*blobs)
    for n_epochs, fitted in enumerate(recorder.fitted, start=1):
        short = small(epochs=n_epochs, batch_normalization=True).fit(*blobs)
        np.testing.assert_array_equal(fitted.predict_proba(blobs[0]), short.predict_proba(blobs[0]))
        assert fitted.n_iter_ == n_epochs
        assert fitted.history_ == short.history_
    assert recorder.fitted[-1].model_ is not classifier.model_


def test_it_can_be_pickled_and_trained_further(blobs):
    recorder = Recorder()
    small(epochs=2, validation_fraction=0.2).set_callbacks(recorder).fit(*blobs)
    fitted = recorder.fitted[0].set_callbacks()
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(blobs[0]), fitted.predict_proba(blobs[0]))
    assert loaded.set_params(validation_fraction=None).partial_fit(*blobs).n_iter_ == 2


def test_it_is_the_network_that_is_trained_whatever_parameters_are_now(blobs):
    recorder = Recorder()
    classifier = small(epochs=1, warm_start=True).fit(*blobs)
    classifier.set_params(hidden_layer_sizes=(3,)).set_callbacks(recorder).fit(*blobs)
    fitted = recorder.fitted[0]
    np.testing.assert_array_equal(weights_of(fitted), weights_of(classifier))


def test_failed_training_tears_callbacks_down(blobs):
    recorder = Recorder()
    with pytest.raises(ValueError, match="loss became"):
        small(learning_rate=1e30, epochs=50).set_callbacks(recorder).fit(*blobs)
    assert recorder.ended[-1] == "teardown"


def test_partial_fit_and_a_second_fit_work_with_callbacks(blobs):
    recorder = Recorder()
    classifier = small(epochs=1).set_callbacks(recorder).fit(*blobs).partial_fit(*blobs)
    classifier.fit(*blobs)
    assert recorder.begun == ["setup", "fit", "epoch"] * 2


def test_clone_shares_callbacks():
    recorder = Recorder()
    assert clone(small().set_callbacks(recorder))._skl_callbacks == [recorder]


def test_scoring_monitor_records_by_epoch(blobs):
    monitor = ScoringMonitor(scoring="accuracy")
    classifier = small(epochs=4).set_callbacks(monitor).fit(*blobs)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(scores) == 4
    assert scores[-1] == classifier.score(*blobs)


def test_progress_bar_shows_candidate_fold_and_epoch_nested(blobs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # so that no line is broken
    X, y = blobs
    pipeline = make_pipeline(PixelScaler(max_value=1), small(epochs=3))
    search = GridSearchCV(pipeline, {"denseclassifier__weight_decay": [0.0, 0.1]}, cv=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    depth_of = {}
    for line in capsys.readouterr().out.splitlines():
        name = line.split("━")[0].split(" #")[0].strip()
        depth_of[name] = max(depth_of.get(name, 0), len(line) - len(line.lstrip()))
    assert list(dict.fromkeys(name.split(" - ")[0] for name in depth_of)) == [
        "GridSearchCV",
        "Pipeline",
    ]
    candidate = depth_of["GridSearchCV - candidate-split-evaluation | Pipeline - fit"]
    assert candidate > depth_of["GridSearchCV - search"] > depth_of["GridSearchCV - fit"]
    epochs = depth_of["Pipeline - fit-final-estimator | DenseClassifier - fit"]
    assert epochs > candidate
