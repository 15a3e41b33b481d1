"""Networks of one's own, each of a kind that makes it hard to take apart and put together."""

import keras
import numpy as np

from skcifar import NetworkClassifier

layers = keras.layers


class Doubling(layers.Layer):
    """A layer of one's own, which is not registered with Keras."""

    def call(self, inputs):
        """Double."""
        return 2 * inputs


class OwnClassifier(NetworkClassifier):
    """Makes of its samples what a subclass makes."""

    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(input_shape)
        x = layers.Flatten()(self.body(inputs))
        return keras.Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


class OwnLayerClassifier(OwnClassifier):
    def body(self, x):
        return Doubling()(x)


class LambdaClassifier(OwnClassifier):
    def body(self, x):
        return layers.Lambda(lambda x: 2 * x)(x)


class SeededClassifier(OwnClassifier):
    """What its layer computes with is no weight, and drawn by the seed."""

    def body(self, x):
        factors = np.random.default_rng(self.network_seed_).random(x.shape[1:])
        return layers.Lambda(lambda x: x * keras.ops.cast(factors, x.dtype))(x)


class NestedSequentialClassifier(OwnClassifier):
    def body(self, x):
        inner = [layers.Conv2D(2, 3), layers.BatchNormalization(), layers.ReLU()]
        return keras.Sequential([*inner, layers.Dropout(0.5)])(x)


class NestedFunctionalClassifier(OwnClassifier):
    def body(self, x):
        inputs = keras.Input(x.shape[1:])
        first = layers.Conv2D(2, 3, padding="same")(inputs)
        both = layers.Add()([first, layers.Conv2D(2, 3, padding="same")(first)])
        return keras.Model(inputs, both)(x)


class ApplicationClassifier(OwnClassifier):
    def body(self, x):
        pictures = layers.Resizing(32, 32)(layers.Concatenate()([x, x, x]))
        return keras.applications.MobileNetV2(
            weights=None, input_shape=(32, 32, 3), alpha=0.35, include_top=False
        )(pictures)


class SharedClassifier(OwnClassifier):
    def body(self, x):
        convolution = layers.Conv2D(1, 3, padding="same")
        return convolution(convolution(x))


class BidirectionalClassifier(OwnClassifier):
    def body(self, x):
        return layers.Bidirectional(layers.LSTM(2))(x[..., 0])


class SequentialClassifier(NetworkClassifier):
    def build_network(self, input_shape, n_classes):
        return keras.Sequential([layers.Flatten(), layers.Dense(n_classes, activation="softmax")])


CLASSIFIERS = [
    OwnLayerClassifier,
    LambdaClassifier,
    SeededClassifier,
    NestedSequentialClassifier,
    NestedFunctionalClassifier,
    ApplicationClassifier,
    SharedClassifier,
    BidirectionalClassifier,
    SequentialClassifier,
]
