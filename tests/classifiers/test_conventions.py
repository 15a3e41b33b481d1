"""What users of scikit-learn's networks, and of other wrappers of Keras, give without thinking."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from small_networks import small

from skcifar import ConvolutionalClassifier


def test_hidden_layer_sizes_may_be_one_int(blobs):
    one, sequence = small(hidden_layer_sizes=8).fit(*blobs), small().fit(*blobs)
    np.testing.assert_array_equal(one.predict_proba(blobs[0]), sequence.predict_proba(blobs[0]))
    assert one.get_params()["hidden_layer_sizes"] == 8


def test_hidden_layer_sizes_of_convolutions_may_be_one_int():
    classifier = ConvolutionalClassifier(filters=(2,), strides=(2,), hidden_layer_sizes=3, epochs=1)
    classifier.fit(np.zeros((4, 4, 4, 1), np.float32), [0, 1, 0, 1])
    assert classifier.model_.get_layer("hidden_1").units == 3


def test_a_large_verbose_prints_as_much_as_2(blobs, capsys):
    small(verbose=10, epochs=2).fit(*blobs)
    assert capsys.readouterr().out.count("accuracy") == 2


@pytest.mark.parametrize(("nullable", "dtype"), [("Int64", "int64"), ("boolean", "bool")])
def test_nullable_labels_of_pandas_come_back_as_integers_or_booleans(blobs, nullable, dtype):
    X, y = blobs
    labels = pd.Series(y).astype(nullable)
    classifier = small().fit(X, labels, X_val=X, y_val=labels)
    assert classifier.predict(X).dtype == dtype
    assert classifier.score(X, labels) > 0.9
    assert small().partial_fit(X, labels, classes=labels.unique()).classes_.dtype == dtype


def test_labels_that_are_missing_are_refused(blobs):
    labels = pd.Series(blobs[1], dtype="Int64").mask(blobs[1] == 1)
    with pytest.raises(ValueError, match="y contains NaN"):
        small().fit(blobs[0], labels)


@pytest.mark.parametrize(
    "ensemble", [AdaBoostClassifier(n_estimators=2), BaggingClassifier(n_estimators=2)]
)
def test_ensembles_take_it(blobs, ensemble):
    X, y = blobs
    ensemble.set_params(estimator=small(epochs=20), random_state=0)
    assert ensemble.fit(X, y).score(X, y) > 0.9
