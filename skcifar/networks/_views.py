"""A network that looks at each picture more than once."""

import keras
import numpy as np

# Whether it is mirrored, by how many pixels it moves down and to the right, and how much it counts:
# powers of 2, whose sums are exact.
VIEWS = {
    1: [(False, 0, 0, 1.0)],
    2: [(False, 0, 0, 0.5), (True, 0, 0, 0.5)],
    6: [
        *((False, 0, 0, 0.25), (True, 0, 0, 0.25)),
        *((False, -1, -1, 0.125), (True, -1, -1, 0.125)),
        *((False, 1, 1, 0.125), (True, 1, 1, 0.125)),
    ],
}


@keras.saving.register_keras_serializable("skcifar")
class Views(keras.layers.Layer):
    """Pictures, all of them in one view after another. What moves in repeats the edge."""

    def __init__(self, views, **params):
        super().__init__(**params)
        self.views = views  # whether mirrored, and by how many pixels moved down and to the right

    def call(self, inputs):
        """Return (n_views * n_pictures, height, width, n_channels)."""
        taken = [
            keras.ops.take(keras.ops.take(inputs, rows, axis=1), columns, axis=2)
            for rows, columns in self.places(inputs.shape)
        ]
        return keras.ops.concatenate(taken, axis=0)

    def compute_output_shape(self, input_shape):
        """Return (None, height, width, n_channels)."""
        return (None, *input_shape[1:])

    def places(self, shape):
        """Return which rows and columns of a picture each view takes."""
        _, height, width, _ = shape
        for mirrored, down, right in self.views:
            rows = np.clip(np.arange(height) - down, 0, height - 1)
            columns = np.clip(np.arange(width) - right, 0, width - 1)
            yield rows, columns[:: -1 if mirrored else 1]

    def get_config(self):
        """Return the arguments of a copy."""
        return super().get_config() | {"views": self.views}


@keras.saving.register_keras_serializable("skcifar")
class MeanOfViews(keras.layers.Layer):
    """The weighted mean of what was computed of all views."""

    def __init__(self, shares, **params):
        super().__init__(**params)
        self.shares = shares

    def call(self, inputs):
        """Return (n_pictures, n_outputs)."""
        outputs = keras.ops.reshape(inputs, (len(self.shares), -1, inputs.shape[-1]))
        return sum(share * outputs[k] for k, share in enumerate(self.shares))

    def compute_output_shape(self, input_shape):
        """Return (None, n_outputs)."""
        return input_shape

    def get_config(self):
        """Return the arguments of a copy."""
        return super().get_config() | {"shares": self.shares}


def count_views(network):
    """Return how many views of each sample a network looks at."""
    return next((len(layer.views) for layer in network.layers if isinstance(layer, Views)), 1)


def with_views(network, n_views, *, mirrored):
    """Return a network that averages another one's outputs over views of each picture."""
    if n_views not in VIEWS:
        raise ValueError(f"n_views must be 1, 2 or 6, got {n_views!r}.")
    views = [view for view in VIEWS[n_views] if mirrored or not view[0]]
    if len(views) == 1:
        return network
    total = sum(share for *_, share in views)
    dtype = network.outputs[0].dtype  # more exact than the layers between under mixed precision
    inputs = keras.Input(network.input_shape[1:], name="samples")
    x = Views([list(view) for *view, _ in views], dtype=dtype, name="views")(inputs)
    shares = [share / total for *_, share in views]
    outputs = MeanOfViews(shares, dtype=dtype, name="mean_of_views")(network(x))
    return keras.Model(inputs, outputs, name=f"{network.name}_of_views")
