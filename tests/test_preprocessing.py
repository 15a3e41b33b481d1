import numpy as np
import pytest
from sklearn import config_context
from sklearn.exceptions import NotFittedError

from skcifar import ImageFlattener, PixelScaler

TRANSFORMERS = [PixelScaler(), ImageFlattener()]


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(5, 4, 6, 3), dtype=np.uint8)


def test_scaler_makes_pixels_float32_from_0_to_1(images):
    scaled = PixelScaler().fit_transform(images)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, images.astype(np.float32) / 255)


def test_scaler_keeps_float64():
    assert PixelScaler().fit_transform(np.array([[255.0]])).dtype == np.float64


def test_scaler_takes_another_full_pixel():
    assert PixelScaler(max_value=16).fit_transform([[8]]) == 0.5


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_caller_s_pictures_stay_as_they_are(transformer, images):
    images.flags.writeable = False
    before = images.copy()
    transformer.fit_transform(images)
    np.testing.assert_array_equal(images, before)


def test_flattener_makes_a_row_of_each_picture_without_a_copy(images):
    flat = ImageFlattener().fit_transform(images)
    assert flat.shape == (5, 72)
    assert np.shares_memory(flat, images)


def test_flattener_names_pixels(images):
    names = ImageFlattener().fit(images).get_feature_names_out()
    assert len(names) == 72
    assert names[0] == "pixel_0_0_0"
    assert names[-1] == "pixel_3_5_2"


def test_flattener_leaves_names_of_columns_to_rows():
    assert ImageFlattener().fit([[1, 2]]).get_feature_names_out().tolist() == ["x0", "x1"]
    assert ImageFlattener().fit([[1, 2]]).get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_pictures_of_another_size_are_refused(transformer, images):
    with pytest.raises(ValueError, match=r"samples of shape \(4, 5, 3\).*\(4, 6, 3\)"):
        transformer.fit(images).transform(images[:, :, :5])


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_transform_before_fit_is_refused(transformer, images):
    with pytest.raises(NotFittedError):
        type(transformer)().transform(images)


@pytest.mark.parametrize("max_value", [0, -1, "255"])
def test_full_pixel_must_be_positive(max_value, images):
    with pytest.raises(ValueError, match=r"'max_value' parameter of PixelScaler must be"):
        PixelScaler(max_value=max_value).fit(images)


@pytest.mark.parametrize("lazy", [False, True])
def test_pixels_that_are_scaled_already_give_one_warning(lazy, images):
    with pytest.warns(UserWarning, match="largest pixel is 1.* set max_value=1") as caught:
        PixelScaler(lazy=lazy).fit_transform(images / images.max())
    assert len(caught) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pixels_up_to_255_and_black_pictures_give_no_warning(dtype, images):
    PixelScaler().fit_transform(images.astype(dtype))
    PixelScaler().fit_transform(np.zeros((2, 3), dtype))
    PixelScaler(max_value=1).fit_transform((images / 255).astype(dtype))


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_pictures_stay_arrays_and_rows_become_frames(output, images):
    library = pytest.importorskip(output)
    with config_context(transform_output=output):
        scaler = PixelScaler().fit(images)
        assert isinstance(scaler.transform(images), np.ndarray)
        assert isinstance(ImageFlattener().fit_transform(images), library.DataFrame)
        rows = images.reshape(len(images), -1)
        assert isinstance(PixelScaler().fit_transform(rows), library.DataFrame)
