"""Networks of one's own are put together again, however they were taken apart."""

import copy
import pickle
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from own_networks import CLASSIFIERS, ApplicationClassifier, BidirectionalClassifier
from sklearn.callback import ScoringMonitor
from sklearn.model_selection import cross_validate

from skcifar import ImageClassifier, load_model, save_model

PICTURES = np.random.default_rng(0).random((30, 4, 4, 1), dtype=np.float32)
LABELS = np.arange(30) % 3


def made(cls, **params):
    return cls(**({"epochs": 1, "batch_size": 10, "random_state": 0} | params))


def pickled(cls, folder):
    classifier = made(cls).fit(PICTURES, LABELS)
    return classifier, pickle.loads(pickle.dumps(classifier))


def deep_copied(cls, folder):
    classifier = made(cls).fit(PICTURES, LABELS)
    return classifier, copy.deepcopy(classifier)


def saved(cls, folder):
    classifier = made(cls).fit(PICTURES, LABELS)
    save_model(classifier, folder / "model")
    return classifier, load_model(folder / "model", custom_classes=[cls])


def gone_on_with(cls, folder):
    made(cls, checkpoint=folder / "checkpoint").fit(PICTURES, LABELS)
    other = made(cls, epochs=2, checkpoint=folder / "checkpoint").fit(PICTURES, LABELS)
    return made(cls, epochs=2).fit(PICTURES, LABELS), other


def copied_for_callbacks(cls, folder):
    class Keeper(ScoringMonitor):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, **others):
            nonlocal kept
            kept = fitted_estimator or kept
            super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator, **others)

    kept = None
    classifier = made(cls)
    classifier.set_callbacks(Keeper(scoring="accuracy")).fit(PICTURES, LABELS)
    return classifier, kept


def sent_back_by_a_worker(cls, folder):
    splits = [(np.arange(30), np.arange(30))] * 2
    scores = cross_validate(made(cls), PICTURES, LABELS, cv=splits, n_jobs=2, return_estimator=True)
    return made(cls).fit(PICTURES, LABELS), scores["estimator"][1]


def trained_by_keras(cls, folder):
    class Listener(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    by_keras = made(cls, callbacks=[Listener()]).fit(PICTURES, LABELS)
    return made(cls).fit(PICTURES, LABELS), by_keras


SLOW_WAYS = [
    *(deep_copied, gone_on_with, copied_for_callbacks, sent_back_by_a_worker, trained_by_keras),
]
WAYS = [pickled, saved, *SLOW_WAYS]
SLOW_CLASSIFIERS = ApplicationClassifier, BidirectionalClassifier
PAIRS = [
    pytest.param(
        cls,
        way,
        marks=[pytest.mark.slow] * (way in SLOW_WAYS or cls in SLOW_CLASSIFIERS),
        id=f"{cls.__name__}-{way.__name__}",
    )
    for cls in CLASSIFIERS
    for way in WAYS
]


@pytest.mark.parametrize(("cls", "way"), PAIRS)
def test_own_network_predicts_alike(cls, way, tmp_path, request):
    tolerance = 0
    if way is trained_by_keras:  # which rounds in another order
        request.getfixturevalue("float64")
        tolerance = 1e-7
    if way is sent_back_by_a_worker:  # which may have another number of threads
        tolerance = 1e-3
    one, other = way(cls, tmp_path)
    assert one is not other
    np.testing.assert_allclose(
        other.predict_proba(PICTURES), one.predict_proba(PICTURES), rtol=0, atol=tolerance
    )


def test_dataclass_that_compares_by_values_predicts():
    @dataclass
    class ComparableClassifier(ImageClassifier):
        def build_network(self, input_shape, n_classes):
            softmax = keras.layers.Dense(n_classes, activation="softmax")
            return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), softmax])

    assert set(made(ComparableClassifier).fit(PICTURES, LABELS).predict(PICTURES)) <= {0, 1, 2}
