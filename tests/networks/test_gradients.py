"""How scores depend on pixels and maps, where the answer is known."""

import keras
import numpy as np
import pytest

from skcifar import make_convolutional_pipeline
from skcifar.networks import (
    build_convolutional_network,
    build_dense_network,
    build_pretrained_network,
    build_whitening_network,
    grad_cam,
    score_gradients,
)

RNG = np.random.default_rng(0)
PICTURES = RNG.random((3, 8, 8, 2), dtype=np.float32)


def linear(activation="softmax", *, layer=None):
    """A network of one dense layer, and what it multiplies pixels by."""
    inputs = keras.Input((8, 8, 2))
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.Dense(3, activation=None if layer else activation)(x)
    network = keras.Model(inputs, layer(x) if layer else x)
    network.layers[2].set_weights([RNG.normal(size=(128, 3)), RNG.normal(size=3)])
    return network, np.asarray(network.layers[2].get_weights()[0])


@pytest.mark.parametrize(
    "layer", [None, keras.layers.Softmax(), keras.layers.Activation("softmax")], ids=str
)
def test_scores_are_what_the_softmax_takes(layer):
    network, kernel = linear(layer=layer)
    gradients = score_gradients(network, PICTURES, [0, 2, 1])
    expected = kernel[:, [0, 2, 1]].T.reshape(PICTURES.shape)
    np.testing.assert_allclose(gradients, expected, rtol=1e-5, atol=1e-6)


def test_a_network_that_is_sure_has_gradients():
    network, kernel = linear()
    network.layers[2].set_weights([1000 * kernel, np.zeros(3)])
    gradients = score_gradients(network, PICTURES[:1], [0])
    np.testing.assert_allclose(gradients.ravel(), 1000 * kernel[:, 0], rtol=1e-5, atol=1e-3)


def test_other_ends_are_explained_by_the_logarithm_of_the_probability():
    network, kernel = linear("sigmoid")
    probabilities = keras.ops.convert_to_numpy(network(PICTURES))[:, 1]
    expected = (1 - probabilities)[:, None] * kernel[:, 1]
    gradients = score_gradients(network, PICTURES, [1, 1, 1]).reshape(3, -1)
    np.testing.assert_allclose(gradients, expected, rtol=1e-3, atol=1e-5)


def of_maps():
    """A network whose two maps say how bright a picture is, and how dark."""
    inputs = keras.Input((8, 8, 2))
    maps = keras.layers.Conv2D(2, 1, name="maps")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(maps)
    network = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))
    network.layers[1].set_weights([np.array([[[[1, -1], [0, 0]]]], np.float32), np.zeros(2)])
    network.layers[3].set_weights([np.eye(2), np.zeros(2)])
    return network


def test_grad_cam_weights_maps_by_their_mean_gradients():
    first, second = grad_cam(of_maps(), PICTURES[:2], [0, 1])
    np.testing.assert_allclose(first, PICTURES[0, ..., 0] / 64, rtol=1e-5)
    np.testing.assert_array_equal(second, 0)  # all of it speaks against the class


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        (build_convolutional_network((16, 16, 3), 4), "convolution_4_activation"),
        (
            build_whitening_network((16, 16, 3), 4, filters=(4, 8)),
            "stage_2_convolution_2_activation",
        ),
        # after which maps have one place only
        (build_whitening_network((16, 16, 3), 4, filters=(4,) * 4), "stage_4_convolution_1"),
    ],
)
def test_last_maps_of_our_networks_are_found(network, layer):
    pictures = RNG.random((2, 16, 16, 3), dtype=np.float32)
    _, height, width, _ = network.get_layer(layer).output.shape
    assert height > 1
    assert grad_cam(network, pictures, [0, 3]).shape == (2, height, width)


def test_maps_of_a_network_within_the_network_are_found():
    inputs = keras.Input((8, 8, 2))
    body = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    network = build_pretrained_network(body, (8, 8, 2), 3)
    assert grad_cam(network, PICTURES, [0, 1, 2]).shape == (3, 6, 6)
    assert score_gradients(network, PICTURES, [0, 1, 2]).shape == PICTURES.shape


def test_network_without_convolutions_has_no_maps():
    with pytest.raises(ValueError, match="this network has none"):
        grad_cam(build_dense_network((8, 8, 2), 3), PICTURES, [0, 0, 0])


def test_maps_that_other_layers_lead_past_are_refused_by_name():
    inputs = keras.Input((8, 8, 2))
    first = keras.layers.Conv2D(4, 3)(inputs)
    second = keras.layers.Conv2D(4, 3)(first)
    pooled = [
        keras.layers.GlobalAveragePooling2D(name="of_first")(first),
        keras.layers.GlobalAveragePooling2D(name="of_second")(second),
    ]
    x = keras.layers.Concatenate()(pooled)
    network = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    with pytest.raises(ValueError, match=r"past those that layer 'of_second' takes\. Use"):
        grad_cam(network, PICTURES, [0, 1, 2])


LEFT, RIGHT = slice(1, 5), slice(11, 15)  # rows and columns of two squares


@pytest.fixture(scope="module")
def squares():
    """Pictures of two squares, red or blue, of which only the first decides."""
    rng = np.random.default_rng(0)
    X = rng.integers(80, size=(160, 16, 16, 3), dtype=np.uint8)
    decides, other = np.arange(160) % 2, rng.integers(2, size=160)
    for picture, *colors in zip(X, decides, other, strict=True):
        for place, color in zip((LEFT, RIGHT), colors, strict=True):
            picture[place, place] = 60
            picture[place, place, 2 * color] = 220
    return X, decides, other


@pytest.mark.slow
@pytest.mark.parametrize("explain", [score_gradients, grad_cam])
def test_maps_are_of_the_weights_and_not_of_the_picture(squares, explain):
    """The sanity check of Adebayo et al., 2018: with random weights, another map comes out."""
    X, y, other = squares
    params = {
        "filters": (8, 8),
        "strides": (2, 1),
        "hidden_layer_sizes": (16,),
        "dropout": 0.0,
    }
    pipeline = make_convolutional_pipeline(
        epochs=15, learning_rate=0.005, random_state=0, **params
    ).fit(X, y)
    differing = np.flatnonzero(y != other)[:20]

    def share_of_what_decides(network):
        maps = np.abs(explain(network, X[differing] / np.float32(255), y[differing]))
        mean = maps.reshape(*maps.shape[:3], -1).max(axis=-1).mean(axis=0)
        mean = mean.repeat(16 // len(mean), axis=0).repeat(16 // len(mean), axis=1)
        first, second = (mean[place, place].mean() for place in (LEFT, RIGHT))
        return first / (first + second)

    assert share_of_what_decides(pipeline["classify"].model_) > 0.7
    random = [build_convolutional_network((16, 16, 3), 2, seed=k, **params) for k in range(4)]
    assert np.mean([share_of_what_decides(network) for network in random]) < 0.6
