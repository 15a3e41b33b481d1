"""The package's own layers compute what Keras' do."""

import keras
import numpy as np
import pytest

from skcifar.networks import BatchNormalization

if keras.config.backend() != "tensorflow":
    pytest.skip("other backends have Keras' own layers", allow_module_level=True)

import tensorflow as tf


@pytest.mark.parametrize("shape", [(6, 3, 4, 5), (6, 5), (1, 2, 1, 3)])
@pytest.mark.parametrize("params", [{}, {"scale": False}, {"center": False, "momentum": 0.6}])
@pytest.mark.parametrize("trainable", [True, False])
def test_normalization_is_that_of_keras(shape, params, trainable):
    """But for rounding: sums of up to 72 values, each to 2**-24, in another order."""
    X = np.random.default_rng(0).normal(1, 2, shape).astype(np.float32)
    ours, theirs = BatchNormalization(**params), keras.layers.BatchNormalization(**params)
    ours.trainable = theirs.trainable = trainable
    for training in (True, False, True):
        results = []
        for layer in (ours, theirs):
            with tf.GradientTape() as tape:
                inputs = tf.Variable(X)
                outputs = layer(inputs, training=training)
                loss = tf.reduce_sum(outputs * np.arange(shape[-1], dtype=np.float32) ** 2)
            results.append((outputs, tape.gradient(loss, inputs), *layer.get_weights()))
        for one, other in zip(*results, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_normalization_in_float64_is_left_to_keras():
    layer = BatchNormalization(dtype="float64")
    X = np.random.default_rng(0).normal(size=(4, 2, 2, 3))
    assert layer(X, training=True).dtype == tf.float64
