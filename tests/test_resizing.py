"""Pictures of any size and from anywhere, as one array of one size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from small_networks import weights_of

from skcifar import (
    DenseClassifier,
    ImageResizer,
    load_model,
    make_convolutional_pipeline,
    make_dense_pipeline,
    make_whitening_pipeline,
    save_model,
)
from skcifar._lazy import LazyImages
from skcifar.datasets import DatasetError, read_picture

PICTURES = np.random.default_rng(0).integers(256, size=(6, 4, 5, 3), dtype=np.uint8)
RED = (255, 0, 0)
WIDE = np.zeros((4, 8, 3), np.uint8)  # black, with a red middle
WIDE[:, 2:6] = RED


@pytest.fixture
def files(tmp_path):
    """Six photographs of several sizes, red and blue by turns."""
    paths = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (20 + number, 10), ("red", "blue")[number % 2]).save(path)
        paths.append(path)
    return paths


def read_whole(path):
    return np.asarray(Image.open(path))


def small(**params):
    return make_dense_pipeline(hidden_layer_sizes=(5,), epochs=1, random_state=0, **params)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_pictures_of_the_right_size_pass_untouched(dtype):
    X = PICTURES.astype(dtype) / dtype(3) if dtype is not np.uint8 else PICTURES
    for resizer in (ImageResizer(), ImageResizer(image_size=(4, 5), n_channels=3)):
        assert np.shares_memory(resizer.fit_transform(X), X)
        assert np.shares_memory(resizer.transform(X), X)


def test_rows_pass_untouched():
    X = np.random.default_rng(0).normal(size=(5, 7))
    assert np.shares_memory(ImageResizer(image_size=(2, 2)).fit_transform(X), X)


@pytest.mark.parametrize("shape", [(6, 4, 5), (6, 4, 5, 7), (6, 2, 2, 2, 2)])
def test_arrays_of_other_kinds_pass_untouched(shape):
    X = np.zeros(shape)
    assert np.shares_memory(ImageResizer().fit_transform(X), X)


def test_lazy_pictures_stay_lazy():
    X = LazyImages(PICTURES, 255)
    assert isinstance(ImageResizer().fit_transform(X), LazyImages)


def test_memory_mapped_pictures_stay_where_they_are(tmp_path):
    np.save(tmp_path / "X.npy", PICTURES)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert np.shares_memory(ImageResizer().fit_transform(X), X)


@pytest.mark.parametrize(
    "as_list",
    [
        list,
        lambda paths: [str(path) for path in paths],
        lambda paths: np.array([str(path) for path in paths]),
        lambda paths: pd.Series([str(path) for path in paths]),
        lambda paths: tuple(map(Image.open, paths)),
        lambda paths: [read_whole(path) for path in paths],
        lambda paths: [read_whole(path).astype(int) for path in paths],
        lambda paths: [
            paths[0],
            Image.open(paths[1]),
            *map(np.asarray, map(Image.open, paths[2:])),
        ],
    ],
    ids=["paths", "str", "array", "Series", "Pillow", "arrays", "integers", "mixed"],
)
def test_lists_of_pictures_of_any_size_are_read(files, as_list):
    read = ImageResizer(image_size=(2, 3)).fit_transform(as_list(files))
    np.testing.assert_array_equal(read, [read_picture(file, image_size=(2, 3)) for file in files])


def test_files_get_32_by_32_pixels_in_colour_by_default(files):
    assert ImageResizer().fit_transform(files).shape == (6, 32, 32, 3)


@pytest.mark.parametrize(
    ("resize", "expected"),
    [
        ("crop", [[RED] * 4] * 4),
        ("stretch", [[(0, 0, 0), RED, RED, (0, 0, 0)]] * 4),
    ],
)
def test_pictures_get_the_size_in_the_way_that_is_asked_for(resize, expected):
    read = ImageResizer(image_size=(4, 4), resize=resize).fit_transform(WIDE[None])
    np.testing.assert_allclose(read[0].astype(int), expected, atol=60)  # edges are blurred


def test_padding_adds_black_margins():
    read = ImageResizer(image_size=(8, 8), resize="pad").fit_transform(WIDE[None] + 0)
    np.testing.assert_array_equal(read[0, 2:6], WIDE)
    assert not read[0, :2].any()
    assert not read[0, 6:].any()


@pytest.mark.parametrize("n_channels", [1, 3])
def test_greys_and_colours_become_what_is_asked_for(n_channels):
    greys, colours = np.full((1, 4, 4, 1), 7, np.uint8), np.full((1, 4, 4, 3), 7, np.uint8)
    resizer = ImageResizer(n_channels=n_channels)
    expected = np.full((1, 4, 4, n_channels), 7)
    np.testing.assert_array_equal(resizer.fit_transform(greys), expected)
    np.testing.assert_array_equal(resizer.fit_transform(colours), expected)


@pytest.mark.parametrize("shape", [(3, 5, 6), (3, 5, 6, 1), (3, 5, 6, 3)])
def test_pictures_to_predict_get_the_shape_of_those_of_fit(shape, files):
    resizer = ImageResizer().fit(np.zeros(shape, np.uint8))
    for X in (files, PICTURES, list(PICTURES), PICTURES[..., 0], [WIDE, WIDE[:, :, 0]]):
        assert resizer.transform(X).shape == (len(X), *shape[1:])


def test_transparent_pixels_become_white():
    clear = np.zeros((1, 4, 4, 4), np.uint8)
    assert (ImageResizer(image_size=(2, 2)).fit_transform(clear) == 255).all()


def test_integers_of_another_size_are_resized_as_bytes():
    wide = WIDE[None].astype(np.int64)
    read = ImageResizer(image_size=(2, 2)).fit_transform(wide.tolist())
    np.testing.assert_array_equal(read, ImageResizer(image_size=(2, 2)).fit_transform(WIDE[None]))


@pytest.mark.parametrize("X", [PICTURES / 255, PICTURES.astype(int) + 1, PICTURES.astype(int) - 1])
def test_what_is_no_bytes_cannot_be_resized(X):
    with pytest.raises(ValueError, match=r"be resized to 2 x 2 pixels, got an array of .*dtype"):
        ImageResizer(image_size=(2, 2)).fit(X)


def test_pictures_are_refused_after_rows(files):
    with pytest.raises(ValueError, match=r"list of pictures, but ImageResizer was .* shape \(7,\)"):
        ImageResizer().fit(np.zeros((2, 7))).transform(files)


def test_rows_are_refused_after_pictures(files):
    with pytest.raises(ValueError, match="7 features, but ImageResizer is expecting 32"):
        ImageResizer().fit(files).transform(np.zeros((2, 7)))


@pytest.mark.parametrize("alone", [str, Path, Image.open])
def test_one_picture_alone_is_refused(alone, files):
    with pytest.raises(ValueError, match="Expected a list of pictures"):
        ImageResizer().fit(alone(files[0]))


def test_what_is_no_picture_among_files_is_named(files):
    with pytest.raises(ValueError, match="X has pictures and None, which is neither a path"):
        ImageResizer().fit([files[0], None])


def test_files_that_cannot_be_read_are_named_with_their_reasons(files):
    files[1].write_text("no picture")
    files[2].unlink()
    with pytest.raises(DatasetError, match=r"2 of 6 .*1\.png \(.*format.*2\.png \(.*not exist"):
        ImageResizer().fit(files)


@pytest.mark.parametrize(
    "params", [{"image_size": (4,)}, {"image_size": (0, 4)}, {"resize": "cut"}, {"n_channels": 2}]
)
def test_parameters_are_checked(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"'{name}' parameter of ImageResizer must be"):
        ImageResizer(**params).fit(PICTURES)


@pytest.mark.parametrize(
    "make", [make_dense_pipeline, make_convolutional_pipeline, make_whitening_pipeline]
)
def test_all_pipelines_resize_first(make):
    resizer = make(image_size=(8, 9), resize="pad", n_channels=1, epochs=1)["resize"]
    params = {"image_size": (8, 9), "resize": "pad", "n_channels": 1}
    assert resizer.get_params() == params


def test_loaded_model_predicts_a_file_of_any_size(files, tmp_path):
    pipeline = small(image_size=(6, 6), resize="pad").fit(files, [0, 1] * 3)
    save_model(pipeline, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(files), pipeline.predict_proba(files))
    assert loaded["resize"].get_params() == pipeline["resize"].get_params()


def test_pipeline_learns_the_same_from_files_and_from_an_array(files):
    read = [read_picture(file, image_size=(6, 6)) for file in files]
    of_files, of_array = (small(image_size=(6, 6)).fit(X, [0, 1] * 3) for X in (files, read))
    np.testing.assert_array_equal(weights_of(of_files[-1]), weights_of(of_array[-1]))


@pytest.mark.slow
def test_size_can_be_searched_on_files(files):
    grid = {"resize__image_size": [(2, 2), (4, 4)], "resize__resize": ["pad", "stretch"]}
    search = GridSearchCV(small(), grid, cv=2, error_score="raise").fit(files, [0, 1] * 3)
    assert search.predict(files).shape == (6,)


def test_classifier_after_the_resizer_alone_takes_files(files):
    classifier = DenseClassifier(hidden_layer_sizes=(5,), epochs=1)
    pipeline = make_pipeline(ImageResizer(), classifier).fit(files, [0, 1] * 3)
    assert pipeline.predict_proba(files).shape == (6, 2)
