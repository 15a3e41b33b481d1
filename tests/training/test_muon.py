"""The optimizer Muon, beside plain NumPy."""

import keras
import numpy as np
import pytest

from skcifar.training._muon import MOMENTUM, SGD_MOMENTUM, Muon, orthogonalized

SHAPES = [(3, 3, 2, 4), (4,), (4, 9), (9, 5), (5, 3), (3,)]  # the last matrix is the output layer's
RATE = 0.1


def orthogonalized_by_numpy(matrix):
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonalized_by_numpy(matrix.T).T
    X = matrix / (np.linalg.norm(matrix) + 1e-7)
    for _ in range(3):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X


def steps_by_numpy(values, gradients_of_steps, *, decay):
    buffers = [np.zeros_like(value) for value in values]
    for gradients in gradients_of_steps:
        for k, gradient in enumerate(gradients):
            by_muon = k in (0, 2, 3)
            momentum = MOMENTUM if by_muon else SGD_MOMENTUM
            values[k] = values[k] * (1 - RATE * decay)
            buffers[k] = momentum * buffers[k] + gradient
            update = gradient + momentum * buffers[k]
            n_outputs = values[k].shape[-1]
            if not by_muon:
                values[k] = values[k] - RATE * update
                continue
            step = RATE * orthogonalized_by_numpy(update.reshape(-1, n_outputs))
            if values[k].ndim == 2:
                step *= np.sqrt(max(1, n_outputs / len(values[k])))
            else:
                values[k] = values[k] * np.sqrt(n_outputs) / np.linalg.norm(values[k])
            values[k] = values[k] - step.reshape(values[k].shape)
    return values


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.usefixtures("float64")
def test_steps_are_those_of_numpy(decay):
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in SHAPES]
    gradients = [[rng.normal(size=shape) for shape in SHAPES] for _ in range(3)]
    variables = [keras.Variable(value, dtype="float64") for value in values]
    optimizer = Muon(RATE, weight_decay=decay or None)
    optimizer.build(variables)
    for step in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], variables)
    expected = steps_by_numpy(values, gradients, decay=decay)
    for variable, value in zip(variables, expected, strict=True):
        # Keras rounds numbers such as the rate to float32 on their way, by 6e-8 each
        np.testing.assert_allclose(np.asarray(variable), value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (6, 6)])
def test_singular_values_come_close_to_one(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    values = np.linalg.svd(np.asarray(orthogonalized(matrix)), compute_uv=False)
    # where three times the polynomial takes all of [0.02, 1]
    assert values.min() > 0.68
    assert values.max() < 1.21


def test_gradient_of_zero_changes_nothing_but_the_size_of_filter_banks():
    variables = [keras.Variable(np.ones(shape, np.float32)) for shape in SHAPES]
    optimizer = Muon(RATE)
    optimizer.build(variables)
    optimizer.apply([keras.ops.zeros(shape) for shape in SHAPES], variables)
    bank, *others = map(np.asarray, variables)
    assert np.linalg.norm(bank) == pytest.approx(2, rel=1e-5)
    assert all((other == 1).all() for other in others)


def test_filter_bank_of_zeros_stays_finite():
    variables = [keras.Variable(np.zeros(shape, np.float32)) for shape in SHAPES]
    optimizer = Muon(RATE)
    optimizer.build(variables)
    optimizer.apply([keras.ops.ones(shape) for shape in SHAPES], variables)
    assert all(np.isfinite(np.asarray(variable)).all() for variable in variables)


def test_configuration_makes_the_same_optimizer_again():
    optimizer = Muon(0.3, weight_decay=0.1, clipnorm=1.0)
    again = Muon.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert isinstance(keras.optimizers.deserialize(keras.optimizers.serialize(optimizer)), Muon)
