"""An estimator as a user of the package would write one."""

import keras

from skcifar import NetworkClassifier


class BottleneckClassifier(NetworkClassifier):
    """Two layers, the first of them narrow and normalised."""

    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(shape=input_shape)
        x = keras.layers.Flatten()(inputs)
        x = keras.layers.Dense(16, activation="tanh")(x)
        x = keras.layers.LayerNormalization()(x)
        outputs = keras.layers.Dense(n_classes, activation="softmax")(x)
        return keras.Model(inputs, outputs)
