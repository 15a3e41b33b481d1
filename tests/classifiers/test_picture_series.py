"""Pictures that come one by one, as in a column of a table."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from small_networks import small

from skcifar import MistakesDisplay, PixelScaler, make_dense_pipeline

PICTURES = np.random.default_rng(0).integers(256, size=(12, 4, 4, 3)).astype(np.uint8)
LABELS = np.tile(["cat", "ship"], 6)


def objects(pictures):
    array = np.empty(len(pictures), dtype=object)
    array[:] = list(pictures)
    return array


@pytest.mark.parametrize("one_by_one", [list, objects, lambda X: pd.Series(list(X))])
def test_pictures_one_by_one_are_those_of_an_array(one_by_one):
    params = {"hidden_layer_sizes": (3,), "epochs": 1, "random_state": 0}
    X = one_by_one(PICTURES)
    series = make_dense_pipeline(**params).fit(X, LABELS)
    array = make_dense_pipeline(**params).fit(PICTURES, LABELS)
    np.testing.assert_array_equal(series.predict_proba(X), array.predict_proba(PICTURES))
    np.testing.assert_array_equal(PixelScaler().fit_transform(X), PICTURES / np.float32(255))
    MistakesDisplay.from_estimator(series, X, LABELS)
    plt.close("all")


def test_series_may_be_validated_on(blobs):
    X, y = blobs
    X_val = pd.Series(list(X))
    series, array = (small(epochs=1).fit(X, y, X_val=val, y_val=y) for val in (X_val, X))
    assert series.history_ == array.history_


def test_pictures_of_several_shapes_in_a_series_are_refused():
    with pytest.raises(ValueError, match="must have the same shape"):
        PixelScaler().fit(pd.Series([np.zeros((4, 4)), np.zeros((4, 5))]))
