"""The network whose first layer whitens, and what that layer computes."""

import keras
import numpy as np
import pytest

from skcifar import build_whitening_network
from skcifar._lazy import LazyImages
from skcifar.networks import ACTIVATIONS, Whitening
from skcifar.networks._whitening import Dirac
from skcifar.training._predict import predict_probabilities

RNG = np.random.default_rng(0)
# neighbouring pixels are alike, as in pictures
PICTURES = RNG.integers(256, size=(150, 5, 6, 1)) // 2 + RNG.integers(128, size=(150, 5, 6, 3))
PICTURES = PICTURES.astype(np.uint8)


def adapted(X, sample_weight=None, *, n_filters=24):
    layer = Whitening(n_filters, 2, trainable=False)
    layer.build((None, *X.shape[1:]))
    layer.adapt(X, sample_weight)
    return layer


def outputs_of(layer, X):
    return keras.ops.convert_to_numpy(layer(np.asarray(X, np.float32))).reshape(-1, layer.filters)


def test_what_comes_out_is_white():
    """But for what is added to the variances: 5e-4 of their mean, the least is a tenth of it."""
    X = PICTURES / np.float32(255)
    outputs = outputs_of(adapted(X), X)
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(outputs[:, :12], rowvar=False), np.eye(12), atol=0.02)


def test_second_half_of_the_filters_is_the_negative_of_the_first():
    kernel, bias = adapted(PICTURES).get_weights()
    np.testing.assert_array_equal(kernel[..., 12:], -kernel[..., :12])
    np.testing.assert_allclose(bias[12:], -bias[:12], rtol=1e-5)


def test_few_filters_are_the_directions_of_the_largest_variances():
    all_of_them, few = (adapted(PICTURES, n_filters=n).get_weights()[0] for n in (24, 8))
    np.testing.assert_array_equal(few[..., :4], all_of_them[..., :4])


def test_weights_count_as_repetitions_do():
    weights = np.arange(150) % 3
    repeated = adapted(np.repeat(PICTURES, weights, axis=0)).get_weights()
    for one, other in zip(adapted(PICTURES, weights).get_weights(), repeated, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_lazy_pictures_give_the_same():
    eager = adapted(PICTURES / np.float32(255)).get_weights()
    lazy = adapted(LazyImages(PICTURES, 255)).get_weights()
    for one, other in zip(eager, lazy, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [0, 0.3, 255, 1e6])
def test_pictures_that_are_all_alike_give_finite_weights(value):
    X = np.full((20, 4, 4, 2), value)
    layer = adapted(X, n_filters=16)
    assert np.isfinite(outputs_of(layer, X)).all()


def test_initial_filters_pass_inputs_on_and_the_others_are_small():
    """A weight is at most the root of the number of weights that a filter has."""
    kernel = keras.ops.convert_to_numpy(Dirac(seed=0)((3, 3, 4, 6)))
    picture = RNG.random((1, 5, 5, 4), np.float32)
    passed = keras.ops.conv(picture, kernel, padding="same")
    np.testing.assert_allclose(passed[..., :4], picture, rtol=1e-6)
    assert 0.1 < np.abs(kernel[..., 4:]).max() <= 1 / 6
    np.testing.assert_array_equal(Dirac(seed=0)((3, 3, 4, 6)), kernel)


def test_defaults_halve_pictures_of_cifar_three_times():
    network = build_whitening_network((32, 32, 3), 10)
    pooled = [layer.output.shape[1:] for layer in network.layers if "pooling" in layer.name]
    assert pooled == [(15, 15, 32), (7, 7, 128), (3, 3, 128)]
    assert network.count_params() == 498_680
    assert network.output_shape == (None, 10)


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 11, 3), (9, 40, 30)])
def test_any_size_from_8_pixels_on_and_any_number_of_channels(shape):
    network = build_whitening_network(shape, 3, filters=(2, 2, 2))
    outputs = keras.ops.convert_to_numpy(network(RNG.random((4, *shape), np.float32)))
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)


def test_parameters_change_the_network():
    params = {"filters": (2, 3), "n_convolutions": 3, "activation": "silu"}
    network = build_whitening_network((8, 8, 1), 3, **params)
    convolutions = [layer for layer in network.layers if hasattr(layer, "filters")]
    assert [layer.filters for layer in convolutions] == [8, 2, 2, 2, 3, 3, 3]
    activations = {
        layer.activation.__name__ for layer in network.layers[:-1] if "act" in layer.name
    }
    assert activations == {"silu"}


@pytest.mark.slow
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_can_be_computed(activation):
    network = build_whitening_network((8, 8, 1), 3, filters=(2,), activation=activation)
    assert np.isfinite(predict_probabilities(network, RNG.random((2, 8, 8, 1), np.float32))).all()


def test_first_layer_is_not_trained():
    network = build_whitening_network((8, 8, 3), 2)
    assert not network.get_layer("whitening").trainable_variables


def test_equal_seeds_give_equal_weights():
    first, again, other = (build_whitening_network((8, 8, 1), 2, seed=k) for k in (0, 0, 1))
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


def test_file_of_keras_brings_it_back(tmp_path):
    network = build_whitening_network((8, 8, 3), 2, filters=(2, 3))
    network.get_layer("whitening").adapt(RNG.random((9, 8, 8, 3)))
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    X = RNG.random((4, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(loaded(X), network(X))
