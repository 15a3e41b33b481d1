"""Muon: momentum whose matrices are orthogonalized, as a Keras optimizer.

Keller Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
https://kellerjordan.github.io/posts/muon/

Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, whose later variant trains
filter banks of constant norm in this way. https://arxiv.org/abs/2404.00498
"""

import math

import keras
from keras import ops

MOMENTUM = 0.6  # share of the sum of gradients that the next one is added to
SGD_MOMENTUM = 0.85  # the same of what goes by SGD

# A polynomial that moves all singular values in (0, 1] towards 1, applied three times.
COEFFICIENTS = 3.4445, -4.7750, 2.0315
N_ITERATIONS = 3

EPSILON = 1e-7


@keras.saving.register_keras_serializable("skcifar")
class Muon(keras.optimizers.Optimizer):
    """Momentum whose matrices are orthogonalized, so that a step is large in every direction."""

    # A network's matrices and filter banks, each seen as one column for each output, go by Muon.
    # The output layer's matrix and all that is no matrix, such as biases, go by SGD with Nesterov
    # momentum.
    #
    # Filter banks have the Frobenius norm sqrt(n_outputs) before each step, whatever they began
    # with: made for convolutions that a normalization follows, which takes the size away.

    def build(self, variables):
        """Make a momentum for each variable, of which the output layer's are the last."""
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")
        matrices = [k for k, variable in enumerate(variables) if len(variable.shape) > 1]
        self.by_muon = frozenset(matrices[:-1])

    def update_step(self, gradient, variable, learning_rate):
        """Change one variable."""
        index = self._get_variable_index(variable)  # of the methods that Keras has for subclasses
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        momentum = MOMENTUM if index in self.by_muon else SGD_MOMENTUM
        gathered = momentum * self.momentums[index] + gradient
        self.assign(self.momentums[index], gathered)
        update = gradient + momentum * gathered
        if index not in self.by_muon:
            self.assign_sub(variable, rate * update)
            return
        *inputs, n_outputs = variable.shape
        update = orthogonalized(ops.reshape(update, (-1, n_outputs)))
        if len(inputs) == 1:
            self.assign_sub(variable, rate * math.sqrt(max(1, n_outputs / inputs[0])) * update)
        else:
            norm = ops.sqrt(ops.sum(ops.square(variable)))
            resized = variable * (math.sqrt(n_outputs) / (norm + EPSILON))
            self.assign(variable, resized - rate * ops.reshape(update, variable.shape))


def orthogonalized(matrix):
    """Return a matrix of the same singular vectors, whose singular values are about 1."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    matrix = ops.transpose(matrix) if is_tall else matrix
    matrix = matrix / (ops.sqrt(ops.sum(ops.square(matrix))) + EPSILON)
    a, b, c = COEFFICIENTS
    one = ops.eye(matrix.shape[0], dtype=matrix.dtype)
    # The polynomial is a factor, made of the small square alone: the matrix itself, long as a rule,
    # is multiplied twice instead of six times.
    square, factors = matrix @ ops.transpose(matrix), one
    for _ in range(N_ITERATIONS):
        factor = a * one + b * square + c * square @ square
        square, factors = factor @ square @ factor, factor @ factors
    matrix = factors @ matrix
    return ops.transpose(matrix) if is_tall else matrix
