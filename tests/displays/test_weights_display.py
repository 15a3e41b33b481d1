"""First layers, compared by what is drawn of them."""

import numpy as np
import pytest
from given_axes import assert_drawn_in_place, assert_label_of_scale_is_whole
from sklearn.pipeline import make_pipeline

from skcifar import DenseClassifier, FirstLayerDisplay, ImageFlattener, PixelScaler


class Layer:
    def __init__(self, kernel=None, layers=None):
        self.kernel = kernel
        self.layers = layers

    def get_weights(self):
        return [self.kernel]


class Network:
    """A fitted classifier whose network has layers with the given kernels."""

    def __init__(self, *layers):
        self.model_ = self
        self.layers = layers


@pytest.fixture
def weights():
    return np.random.default_rng(0).normal(size=(7, 3, 3, 3))


def drawn(axes):
    return np.asarray(axes.images[0].get_array())


@pytest.fixture(scope="module")
def pipeline():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, size=(20, 4, 5, 3), dtype=np.uint8)
    classifier = DenseClassifier(hidden_layer_sizes=(6,), epochs=1, random_state=0)
    return make_pipeline(PixelScaler(), ImageFlattener(), classifier).fit(X, np.arange(20) % 2)


def test_units_of_a_dense_layer_are_pictures_of_the_samples_shape(pipeline):
    display = FirstLayerDisplay.from_estimator(pipeline)
    kernel = pipeline[-1].model_.get_weights()[0]
    assert display.weights.shape == (6, 4, 5, 3)
    np.testing.assert_array_equal(display.weights[2].ravel(), kernel[:, 2])


def test_classifier_that_flattens_pictures_itself_is_drawn():
    X = np.random.default_rng(0).random((20, 4, 5))
    classifier = DenseClassifier(hidden_layer_sizes=(6,), epochs=1, random_state=0)
    display = FirstLayerDisplay.from_estimator(classifier.fit(X, np.arange(20) % 2))
    assert display.weights.shape == (6, 4, 5, 1)


def test_steps_that_know_no_shape_are_passed_over():
    X = np.random.default_rng(0).integers(0, 256, size=(20, 4, 5, 3), dtype=np.uint8)
    classifier = DenseClassifier(hidden_layer_sizes=(6,), epochs=1, random_state=0)
    pipeline = make_pipeline("passthrough", ImageFlattener(), classifier)
    display = FirstLayerDisplay.from_estimator(pipeline.fit(X, np.arange(20) % 2))
    assert display.weights.shape == (6, 4, 5, 3)


def test_kernels_of_a_convolution_are_drawn_one_by_one(weights):
    kernel = np.moveaxis(weights, 0, -1)
    display = FirstLayerDisplay.from_estimator(Network(Layer(), Layer(kernel)))
    np.testing.assert_array_equal(display.weights, weights)
    assert {axes.images[0].get_interpolation() for axes in display.axes_} == {"nearest"}


def test_first_kernel_is_found_in_a_network_within_the_network(weights):
    inner = Layer(layers=[Layer(), Layer(np.moveaxis(weights, 0, -1))])
    display = FirstLayerDisplay.from_estimator(Network(Layer(), inner, Layer(np.ones((4, 2)))))
    np.testing.assert_array_equal(display.weights, weights)


def test_the_strongest_units_come_first(weights):
    weights = weights * np.array([1, 5, 2, 7, 3, 6, 4])[:, None, None, None]
    display = FirstLayerDisplay(weights=weights).plot(n_images=3)
    strengths = np.square(weights).sum(axis=(1, 2, 3))
    brightness = [np.abs(drawn(axes) - 0.5).sum() for axes in display.axes_]
    assert len(display.axes_) == 3
    assert brightness == sorted(brightness, reverse=True)
    expected = np.sign(weights[strengths.argmax()])
    np.testing.assert_array_equal(np.sign(drawn(display.axes_[0]) - 0.5), expected)


def test_zero_is_mid_grey_and_the_scale_is_the_same_for_all():
    weights = np.zeros((2, 2, 2, 3))
    weights[0, 0, 0] = [1, -1, 0.5]
    weights[1, 1, 1, 0] = 0.5
    display = FirstLayerDisplay(weights=weights).plot()
    strong, weak = map(drawn, display.axes_)
    assert strong[1, 1].tolist() == [0.5, 0.5, 0.5]
    assert strong[0, 0, 0] > 0.9
    assert strong[0, 0, 1] < 0.1
    assert strong[0, 0, 2] == weak[1, 1, 0]


def test_scale_is_reported_by_a_bar(weights):
    display = FirstLayerDisplay(weights=weights).plot()
    bar = display.figure_.axes[-1]
    assert bar.get_ylabel() == "weight of\nred, green, blue"
    low, high = bar.get_ylim()
    assert high == -low == pytest.approx(np.percentile(np.abs(weights), 99.5))


@pytest.mark.parametrize("n_units", [1, 10, 20, 40])
def test_label_of_the_scale_is_whole(n_units):
    display = FirstLayerDisplay(weights=np.ones((n_units, 3, 3, 3))).plot()
    assert_label_of_scale_is_whole(display)


def test_weights_of_one_channel_are_grey(weights):
    display = FirstLayerDisplay(weights=weights[..., :1]).plot()
    image = drawn(display.axes_[0])
    assert image.shape == (3, 3, 3)
    np.testing.assert_array_equal(image[..., 0], image[..., 2])
    assert display.figure_.axes[-1].get_ylabel() == "weight"


def test_title_shows_what_was_left_out(weights):
    def title(**options):
        display = FirstLayerDisplay(weights=weights).plot(**options)
        return [text.get_text() for axes in display.figure_.axes for text in axes.texts]

    assert title(n_images=2) == ["First layer: the 2 strongest of 7 units"]
    assert title() == ["First layer: all 7 units, the strongest first"]


def test_weights_of_zero_can_be_drawn():
    display = FirstLayerDisplay(weights=np.zeros((2, 3, 3, 3))).plot()
    assert (drawn(display.axes_[0]) == 0.5).all()


@pytest.mark.parametrize("layout", ["constrained", None])
def test_weights_and_their_scale_take_the_place_of_given_axes(weights, layout):
    def draw(axes):
        return FirstLayerDisplay(weights=weights / 1000).plot(ax=axes)

    assert_drawn_in_place(draw, layout=layout)


def test_estimator_without_a_network_is_refused():
    with pytest.raises(ValueError, match="PixelScaler has no model_"):
        FirstLayerDisplay.from_estimator(PixelScaler())


def test_network_without_a_kernel_is_refused():
    with pytest.raises(ValueError, match="no layer with a kernel"):
        FirstLayerDisplay.from_estimator(Network(Layer()))


def test_rows_are_no_pictures(blobs):
    X, y = blobs
    classifier = DenseClassifier(hidden_layer_sizes=(3,), epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"takes 4 numbers, .* samples' shape \(4,\)"):
        FirstLayerDisplay.from_estimator(classifier)


@pytest.mark.parametrize("n_channels", [2, 4, 16])
def test_channels_that_are_no_colours_are_refused(n_channels):
    kernel = np.ones((3, 3, n_channels, 5))
    with pytest.raises(ValueError, match=rf"3 \(red.* got \(5, 3, 3, {n_channels}\)"):
        FirstLayerDisplay.from_estimator(Network(Layer(kernel)))


def test_one_dimensional_convolution_is_refused():
    with pytest.raises(ValueError, match=r"weights of shape \(3, 2, 5\)"):
        FirstLayerDisplay.from_estimator(Network(Layer(np.ones((3, 2, 5)))))


@pytest.mark.parametrize("parameter", ["n_images", "n_columns"])
def test_none_of_a_thing_cannot_be_drawn(weights, parameter):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of FirstLayerDisplay"):
        FirstLayerDisplay(weights=weights).plot(**{parameter: 0})
