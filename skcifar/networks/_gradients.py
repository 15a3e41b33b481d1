"""How the score of a class depends on pixels, and on the last maps of a network.

The score is what a softmax takes: where that is nearly sure, probabilities hardly change at all.
"""

import keras
import numpy as np

if keras.config.backend() == "tensorflow":
    from ._tensorflow import gradient_of_sum
else:

    def gradient_of_sum(function, inputs):
        """Return the gradient of the sum of a function's outputs with respect to its inputs."""
        import jax

        return jax.grad(lambda x: keras.ops.sum(function(x)))(inputs)


def score_gradients(network, X, columns):
    """Return the gradient of each sample's score, for a class of its own, by its numbers."""
    scores = _score_network(network)
    return np.stack([_gradient(scores, x, column) for x, column in zip(X, columns, strict=True)])


def grad_cam(network, X, columns):
    """Return the sums of a network's last maps, weighted by gradients, where they are positive."""
    # Ramprasaath R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
    # Gradient-Based Localization", 2017. https://arxiv.org/abs/1610.02391
    layer, maps = _last_maps(network)
    scores = _score_network(network).outputs[0]
    try:
        to_scores = keras.Model(maps, scores)
    except ValueError as error:  # Keras names no layer
        raise ValueError(
            "Grad-CAM needs maps on which alone the classes depend, and other layers lead past"
            f" those that layer {layer.name!r} takes. Use method='occlusion' or 'gradient'."
        ) from error
    to_maps = keras.Model(network.inputs[0], maps)
    sums = []
    for x, column in zip(X, columns, strict=True):
        of_picture = _as_float32(to_maps(x[None], training=False))[0]
        weights = _gradient(to_scores, of_picture, column).mean(axis=(0, 1))
        sums.append(np.maximum(of_picture @ weights, 0))
    return np.stack(sums)


def _gradient(scores, x, column):
    inputs = keras.ops.convert_to_tensor(x[None], scores.inputs[0].dtype)
    return _as_float32(gradient_of_sum(lambda x: scores(x, training=False)[:, column], inputs))[0]


def _as_float32(tensor):
    return keras.ops.convert_to_numpy(tensor).astype(np.float32)


def _score_network(network):
    """Return a network without its softmax, or of logarithms where it ends in something else."""
    last = network.layers[-1]
    if isinstance(last, keras.Model):
        scores = _score_network(last)(network.layers[-2].output)
    elif isinstance(last, keras.layers.Softmax):
        scores = last.input
    elif getattr(last, "activation", None) is keras.activations.softmax:
        linear = type(last).from_config(last.get_config() | {"activation": "linear"})
        scores = linear(last.input)
        linear.set_weights(last.get_weights())
    else:
        scores = keras.ops.log(network.outputs[0] + keras.config.epsilon())
    return keras.Model(network.inputs[0], scores)


def _last_maps(network):
    """Return the last layer that takes maps of more than one place, and these."""
    for layer in reversed(network.layers):
        if isinstance(layer, keras.Model | keras.layers.InputLayer):
            continue
        taken = keras.tree.flatten(layer.input)[-1]
        if len(taken.shape) == 4 and tuple(taken.shape[1:3]) != (1, 1):
            if taken is network.inputs[0]:
                break
            return layer, taken
    raise ValueError(
        "Grad-CAM weighs the maps that convolutions make of a picture, and this network has none,"
        " or has them within one of its layers. Use method='occlusion' or 'gradient', or a network"
        " of convolutions."
    )
