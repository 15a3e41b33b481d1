"""What holds of the transformers for pictures of any shape, kind of number and size of number."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.base import clone

from skcifar import ImageFlattener, PixelScaler

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:The largest pixel"),  # of samples that are drawn small
]
everywhere_alike = settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)

NUMBERS = st.sampled_from([np.uint8, np.uint16, np.int32, np.int64, np.float32, np.float64])
SHAPES = st.one_of(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    hnp.array_shapes(min_dims=3, max_dims=4, max_side=4),
)


@st.composite
def samples(draw, numbers=NUMBERS):
    """Pictures or rows, at times seen backwards or not to be written to."""
    dtype = np.dtype(draw(numbers))
    elements = (
        hnp.from_dtype(dtype, allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)
        if dtype.kind == "f"
        else hnp.from_dtype(dtype)
    )
    X = draw(hnp.arrays(dtype, draw(SHAPES), elements=elements))
    if draw(st.booleans()):
        X = X[::-1, ..., ::-1]
    X.flags.writeable = draw(st.booleans())
    return X


full_pixels = st.one_of(
    st.integers(1, 65_535), st.floats(1e-3, 1e6, allow_nan=False, allow_infinity=False)
)


@everywhere_alike
@given(samples(), full_pixels)
def test_scaled_samples_times_the_full_pixel_are_the_samples(X, max_value):
    scaled = PixelScaler(max_value=max_value).fit_transform(X)
    assert scaled.shape == X.shape
    tolerance = 1e-12 if X.dtype == np.float64 else 1e-6
    np.testing.assert_allclose(
        scaled.astype(np.float64) * max_value, X.astype(np.float64), rtol=tolerance, atol=1e-30
    )


@everywhere_alike
@given(samples())
def test_scaled_samples_are_float64_only_where_samples_are(X):
    expected = np.float64 if X.dtype == np.float64 else np.float32
    assert PixelScaler().fit_transform(X).dtype == expected


@everywhere_alike
@given(samples(st.just(np.uint8)))
def test_pixels_of_pictures_become_0_to_1_and_keep_their_order(X):
    scaled = PixelScaler().fit_transform(X)
    assert 0 <= scaled.min() <= scaled.max() <= 1
    assert (np.argsort(scaled, axis=None, kind="stable") == np.argsort(X, None, "stable")).all()
    np.testing.assert_array_equal(np.rint(scaled * 255), X)


@everywhere_alike
@given(samples())
def test_flat_samples_in_their_old_shape_are_the_samples(X):
    flat = ImageFlattener().fit_transform(X)
    assert flat.shape == (len(X), X[0].size)
    assert flat.dtype == X.dtype
    np.testing.assert_array_equal(flat.reshape(X.shape), X)


@everywhere_alike
@given(samples())
def test_scaling_and_flattening_may_change_places(X):
    scaled_first = ImageFlattener().fit_transform(PixelScaler().fit_transform(X))
    flattened_first = PixelScaler().fit_transform(ImageFlattener().fit_transform(X))
    np.testing.assert_array_equal(scaled_first, flattened_first)


@pytest.mark.parametrize("transformer", [PixelScaler(), ImageFlattener()])
@everywhere_alike
@given(X=samples())
def test_samples_stay_as_they_are_and_fitting_is_remembered(transformer, X):
    before = X.copy()
    fitted = clone(transformer).fit(X)
    assert fitted.sample_shape_ == X.shape[1:]
    assert fitted.n_features_in_ == X.shape[1]
    np.testing.assert_array_equal(fitted.transform(X), clone(transformer).fit_transform(X))
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("transformer", [PixelScaler(), ImageFlattener()])
@everywhere_alike
@given(X=samples(), rows=st.data())
def test_each_sample_is_transformed_by_itself(transformer, X, rows):
    row = rows.draw(st.integers(0, len(X) - 1))
    fitted = clone(transformer).fit(X)
    np.testing.assert_array_equal(fitted.transform(X[row : row + 1])[0], fitted.transform(X)[row])


@everywhere_alike
@given(samples())
def test_names_of_columns_distinguish_pixels_and_where_they_are(X):
    flattener = ImageFlattener().fit(X)
    names = flattener.get_feature_names_out()
    assert len(set(names)) == len(names) == flattener.transform(X).shape[1]
    if X.ndim > 2:
        flat = flattener.transform(X)
        for column, name in enumerate(names):
            place = tuple(int(number) for number in name.removeprefix("pixel_").split("_"))
            assert flat[0, column] == X[(0, *place)]


@pytest.mark.parametrize("transformer", [PixelScaler(), ImageFlattener()])
@everywhere_alike
@given(shapes=st.tuples(SHAPES, SHAPES).filter(lambda pair: pair[0][1:] != pair[1][1:]))
def test_samples_of_any_other_shape_are_refused(transformer, shapes):
    fitted = clone(transformer).fit(np.ones(shapes[0]))
    with pytest.raises(ValueError, match=r"expecting|features"):
        fitted.transform(np.ones(shapes[1]))


@everywhere_alike
@given(
    st.one_of(
        st.floats(max_value=0), st.just(float("nan")), st.sampled_from(["1", b"1", None, [1]])
    )
)
def test_full_pixel_of_anything_but_a_positive_number_is_refused(max_value):
    with pytest.raises(ValueError, match=r"'max_value' parameter of PixelScaler must be"):
        PixelScaler(max_value=max_value).fit([[1.0]])
