"""Estimators as a user of the package would write them."""

import math

import keras

from skcifar import ConvolutionalClassifier, NetworkClassifier


class BottleneckClassifier(NetworkClassifier):
    """Two layers, the first of them narrow and normalised."""

    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(shape=input_shape)
        x = keras.layers.Flatten()(inputs)
        x = keras.layers.Dense(16, activation="tanh")(x)
        x = keras.layers.LayerNormalization()(x)
        outputs = keras.layers.Dense(n_classes, activation="softmax")(x)
        return keras.Model(inputs, outputs)


class ConvolutionalOnRowsClassifier(ConvolutionalClassifier):
    """Rows instead of pictures: a first layer makes a picture of each, one pixel high."""

    def build_network(self, input_shape, n_classes):
        picture_shape = (1, math.prod(input_shape), 1)
        inputs = keras.Input(shape=input_shape)
        pictures = keras.layers.Reshape(picture_shape)(inputs)
        return keras.Model(inputs, super().build_network(picture_shape, n_classes)(pictures))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags
