"""Pictures that stay bytes until they are needed as numbers."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from small_networks import weights_of

from skcifar import (
    DenseClassifier,
    ImageFlattener,
    PixelScaler,
    WhiteningClassifier,
    make_dense_pipeline,
)
from skcifar._lazy import LazyImages

PIXELS = np.random.default_rng(0).integers(256, size=(40, 4, 5, 3), dtype=np.uint8)
SCALED = np.divide(PIXELS, np.float32(255), dtype=np.float32)
Y = np.arange(40) % 2


@pytest.fixture
def lazy():
    return PixelScaler(lazy=True).fit_transform(PIXELS)


def test_has_shape_and_dtype_of_the_scaled_pixels(lazy):
    assert (lazy.shape, lazy.ndim, lazy.dtype, len(lazy)) == ((40, 4, 5, 3), 4, np.float32, 40)


@pytest.mark.parametrize(
    "key",
    [
        slice(3, 20, 4),
        slice(None, None, -1),
        np.array([5, 1, 1]),
        [2, 0],
        np.arange(40) % 3 == 0,
        7,
        -1,
        (slice(2, 4), ...),
        (slice(2, 4), slice(1, 3)),
        (3, 0, 1, 2),
    ],
    ids=str,
)
def test_is_indexed_like_the_scaled_pixels(lazy, key):
    np.testing.assert_array_equal(np.asarray(lazy[key]), SCALED[key])


@pytest.mark.parametrize("key", [slice(3, 20, 4), [5, 1, 1], 7, (slice(2, 4), 0)], ids=str)
def test_bytes_are_indexed_like_an_array(key):
    lazy = LazyImages(PIXELS)
    assert lazy.dtype == np.uint8
    np.testing.assert_array_equal(np.asarray(lazy[key]), PIXELS[key])


def test_bytes_stay_where_they_are_when_they_are_scaled_lazily():
    scaled = PixelScaler(lazy=True).fit_transform(LazyImages(PIXELS)[5:])
    assert np.shares_memory(scaled._pixels, PIXELS)
    np.testing.assert_array_equal(np.asarray(scaled), SCALED[5:])


def test_classifier_takes_lazy_bytes_as_the_array():
    params = {"hidden_layer_sizes": (3,), "epochs": 1, "random_state": 0}
    by_lazy, by_array = (DenseClassifier(**params).fit(X, Y) for X in (LazyImages(PIXELS), PIXELS))
    np.testing.assert_array_equal(weights_of(by_lazy), weights_of(by_array))


def test_a_search_copies_no_folds(monkeypatch):
    made = []
    as_array = LazyImages.__array__
    monkeypatch.setattr(
        LazyImages, "__array__", lambda self, *args, **k: made.append(len(self)) or as_array(self)
    )
    grid = {"classify__learning_rate": [1e-3, 1e-2]}
    pixels = np.tile(PIXELS, (125, 1, 1, 1))
    pipeline = make_dense_pipeline(hidden_layer_sizes=(), epochs=1, batch_size=500)
    GridSearchCV(pipeline, grid, cv=2).fit(LazyImages(pixels), np.tile(Y, 125))
    assert max(made) < 2000  # what is predicted at a time, of folds of 2,500


def test_indexing_again_refers_to_what_was_indexed(lazy):
    np.testing.assert_array_equal(lazy[10:30][[3, 1]][1:], SCALED[10:30][[3, 1]][1:])


@pytest.mark.parametrize("key", [40, [40], np.ones(39, bool)], ids=["int", "list", "mask"])
def test_index_out_of_range_is_refused_as_by_an_array(lazy, key):
    with pytest.raises(IndexError):
        lazy[key]


def test_indexing_copies_no_pixels(lazy):
    assert np.shares_memory(lazy[5:]._pixels, PIXELS)


def test_other_dtypes_are_those_of_the_scaled_pixels(lazy):
    assert np.asarray(lazy, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.asarray(lazy.astype("float64")), SCALED.astype("float64"))


def test_flattener_keeps_it_lazy(lazy):
    flat = ImageFlattener().fit_transform(lazy)
    assert isinstance(flat, LazyImages)
    np.testing.assert_array_equal(np.asarray(flat), SCALED.reshape(40, -1))


def test_survives_pickle(lazy):
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(lazy[3:9]))), SCALED[3:9])


def test_scaler_alone_returns_a_plain_array():
    assert type(PixelScaler().fit_transform(PIXELS)) is np.ndarray


def test_only_bytes_are_lazy():
    assert type(PixelScaler(lazy=True).fit_transform(PIXELS.astype(np.int16))) is np.ndarray


@pytest.mark.parametrize("step", [PCA(2), LogisticRegression()])
def test_steps_of_others_see_a_plain_array(step):
    rows = PIXELS.reshape(40, -1)
    by_lazy, by_array = (
        make_pipeline(PixelScaler(lazy=lazy), step).fit(rows, Y)[-1] for lazy in (True, False)
    )
    name = "components_" if isinstance(step, PCA) else "coef_"
    np.testing.assert_array_equal(getattr(by_lazy, name), getattr(by_array, name))


@pytest.mark.parametrize(
    "function",
    [
        lambda X: 2 * X - 1,
        lambda X: X.reshape(len(X), -1).mean(axis=1),
        np.sqrt,
        lambda X: np.concatenate([X, X]),
        lambda X: X >= 0.5,
    ],
)
def test_functions_of_arrays_get_the_scaled_array(lazy, function):
    np.testing.assert_array_equal(function(lazy), function(SCALED))


@pytest.mark.parametrize("name", ["iloc", "toarray", "_private"])
def test_has_no_attribute_that_arrays_lack(lazy, name):
    assert not hasattr(lazy, name)


def test_output_may_be_a_data_frame():
    rows = PIXELS.reshape(40, -1)
    frame = PixelScaler(lazy=True).set_output(transform="pandas").fit_transform(rows)
    np.testing.assert_array_equal(frame.to_numpy(), SCALED.reshape(40, -1))


def test_samples_of_another_shape_are_refused(lazy):
    flattener = ImageFlattener().fit(lazy)
    other = PixelScaler(lazy=True).fit_transform(PIXELS[:, :, :3])
    with pytest.raises(ValueError, match=r"samples of shape \(4, 3, 3\).*\(4, 5, 3\)"):
        flattener.transform(other)


def test_no_samples_are_refused(lazy):
    with pytest.raises(ValueError, match="0 sample"):
        DenseClassifier().fit(lazy[:0], Y[:0])


def test_labels_of_another_number_are_refused(lazy):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        DenseClassifier().fit(lazy, Y[1:])


@pytest.mark.parametrize(
    "classifier",
    [
        DenseClassifier(hidden_layer_sizes=(5,)),
        DenseClassifier(hidden_layer_sizes=(5,), validation_fraction=0.2),
        DenseClassifier(hidden_layer_sizes=(5,), early_stopping=True),
        WhiteningClassifier(filters=(4,)),
    ],
    ids=["dense", "validation", "early stopping", "whitening"],
)
def test_classifiers_learn_and_predict_the_same_bits(classifier):
    classifier.set_params(epochs=2, batch_size=8, random_state=0)
    eager, lazy = (
        make_pipeline(PixelScaler(lazy=is_lazy), classifier).fit(PIXELS, Y)
        for is_lazy in (False, True)
    )
    np.testing.assert_array_equal(eager.predict_proba(PIXELS), lazy.predict_proba(PIXELS))
    np.testing.assert_array_equal(weights_of(eager[-1]), weights_of(lazy[-1]))
    assert eager[-1].history_ == lazy[-1].history_


def test_cross_validation_scores_the_same():
    eager, lazy = (
        make_pipeline(
            PixelScaler(lazy=is_lazy), DenseClassifier(hidden_layer_sizes=(5,), random_state=0)
        )
        for is_lazy in (False, True)
    )
    scores = [cross_val_score(pipeline, PIXELS, Y, cv=2) for pipeline in (eager, lazy)]
    np.testing.assert_array_equal(*scores)


def test_checkpoint_goes_on_with_lazy_pictures(tmp_path):
    path = tmp_path / "checkpoint"
    params = {"hidden_layer_sizes": (5,), "random_state": 0}
    make_dense_pipeline(**params, epochs=2, checkpoint=path).fit(PIXELS, Y)
    resumed = make_dense_pipeline(**params, epochs=4, checkpoint=path).fit(PIXELS, Y)
    unbroken = make_dense_pipeline(**params, epochs=4).fit(PIXELS, Y)
    np.testing.assert_array_equal(weights_of(resumed[-1]), weights_of(unbroken[-1]))


def test_checkpoint_of_other_pictures_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    params = {"hidden_layer_sizes": (5,), "random_state": 0, "checkpoint": path}
    make_dense_pipeline(**params, epochs=2).fit(PIXELS, Y)
    with pytest.raises(ValueError, match="another training"):
        make_dense_pipeline(**params, epochs=4).fit(PIXELS[::-1], Y)


def test_memory_mapped_pictures_stay_where_they_are(tmp_path):
    np.save(tmp_path / "X.npy", PIXELS)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    lazy = PixelScaler(lazy=True).fit_transform(mapped)
    assert np.shares_memory(lazy._pixels, mapped)
    pipeline = make_dense_pipeline(hidden_layer_sizes=(5,), epochs=1, random_state=0)
    in_memory = pipeline.fit(PIXELS, Y).predict_proba(PIXELS)
    np.testing.assert_array_equal(pipeline.fit(mapped, Y).predict_proba(mapped), in_memory)


def anonymous_megabytes():
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon"))


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux says how much memory is anonymous"
)
def test_memory_does_not_grow_with_memory_mapped_pictures(tmp_path):
    shape = (40_000, 32, 32, 3)  # 123 MB as bytes, 492 MB as floats
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.uint8, shape)
    y = np.arange(len(mapped)) % 10
    pipeline = make_dense_pipeline(hidden_layer_sizes=(5,), epochs=1, random_state=0)
    pipeline.fit(mapped[:1000], y[:1000])
    before = anonymous_megabytes()
    pipeline.fit(mapped, y)
    assert anonymous_megabytes() - before < 100
