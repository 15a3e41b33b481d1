"""Keys of networks: equal where they compute alike, and None where nobody can say."""

import keras
import pytest

from skcifar.training._fit import compile_network
from skcifar.training._tensorflow._keys import network_key, training_key

layers = keras.layers


def convolutional(**params):
    inputs = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3, **params)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.5)(layers.LeakyReLU()(x))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))


def residual(**params):
    inputs = keras.Input((6, 6, 3))
    x = layers.add([inputs, layers.Conv2D(3, 1, **params)(inputs)])
    return keras.Model(inputs, layers.Flatten()(keras.ops.relu(x)))


def nested(**params):
    inner_inputs = keras.Input((6, 6, 3))
    inner = keras.Model(inner_inputs, layers.Conv2D(2, 3, **params)(inner_inputs))
    inputs = keras.Input((6, 6, 3))
    tail = keras.Sequential([keras.Input((4, 4, 2)), layers.Flatten()])
    return keras.Model(inputs, tail(inner(inputs)))


def sequential(**params):
    return keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2D(2, 3, **params)])


def around(layer):
    inputs = keras.Input((4, 4) if isinstance(layer, layers.TimeDistributed) else (4,))
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("build", [convolutional, residual, nested, sequential])
class TestNetworksOfKeras:
    def test_the_same_code_gives_the_same_key(self, build):
        assert network_key(build()) == network_key(build()) is not None

    def test_another_parameter_gives_another_key(self, build):
        assert network_key(build()) != network_key(build(use_bias=False))

    def test_a_frozen_layer_gives_another_key(self, build):
        assert network_key(build()) != network_key(build(trainable=False))


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "mixed_bfloat16"])
def test_layer_of_another_precision_gives_another_key(dtype):
    assert network_key(around(layers.Dense(3))) != network_key(around(layers.Dense(3, dtype=dtype)))


def test_constant_initializer_is_known():
    assert network_key(around(layers.Dense(3, bias_initializer=keras.initializers.Constant(0.1))))


def test_name_that_is_also_a_parameter_does_not_hide_the_parameter():
    relu, tanh = (around(layers.Dense(3, activation=name, name=name)) for name in ("relu", "tanh"))
    assert network_key(relu) != network_key(tanh)


class OwnDense(layers.Dense):
    pass


class OwnModel(keras.Model):
    pass


def own_function(x):
    return x


def relu(x):
    """Has the name of another one."""
    return keras.ops.clip(x, 0, 1)


def own_loss(y, y_pred):
    return y - y_pred


@pytest.mark.parametrize(
    "layer",
    [
        OwnDense(3),
        layers.Dense(3, activation=own_function),
        layers.Dense(3, activation=relu),
        layers.Dense(3, activation=keras.ops.gelu),  # not what the name says: another default
        layers.TimeDistributed(layers.Dense(3, activation=relu)),
        layers.Dense(3, activation=lambda x: x),
        layers.Activation(own_function),
        layers.Lambda(lambda x: x),
        layers.Dense(3, kernel_regularizer=own_function),
        layers.Normalization(mean=[0.0] * 4, variance=[1.0] * 4),
        keras.Sequential([keras.Input((4,)), layers.Dense(3, activation=lambda x: x)]),
    ],
    ids=lambda layer: layer.name,
)
@pytest.mark.filterwarnings("error")
def test_what_a_configuration_does_not_determine_has_no_key(layer):
    assert network_key(around(layer)) is None


def test_model_class_of_ones_own_has_no_key():
    inputs = keras.Input((4,))
    assert network_key(OwnModel(inputs, layers.Dense(3)(inputs))) is None


def compiled(network, **params):
    compile_network(network, **({"learning_rate": 0.1} | params))
    return network


def test_learning_rate_is_not_in_the_network_key_training():
    slow, fast = (compiled(sequential(), learning_rate=rate) for rate in (0.01, 0.1))
    assert training_key(slow) == training_key(fast) is not None


def test_loss_and_optimizer_are_in_the_network_key_training():
    network = compiled(sequential())
    usual = training_key(network)
    network.compile(optimizer=keras.optimizers.Adam(0.1, beta_1=0.8), loss=network.loss)
    assert training_key(network) != usual
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    network.compile(optimizer=keras.optimizers.Adam(0.1), loss=smoothed)
    assert training_key(network) != usual


def test_loss_of_ones_own_has_no_key():
    network = sequential()
    network.compile(optimizer=keras.optimizers.Adam(), loss=own_loss)
    assert training_key(network) is None
