"""Networks that can be exported, layer by layer, ready to predict without a training."""

import keras
import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline

from skcifar import NetworkClassifier, PixelScaler, make_dense_pipeline
from skcifar.networks import BatchNormalization, Dropout, Whitening

L = keras.layers
NAMES = np.array(["cat", "dog", "frog"])
# even and odd, so that padding is uneven along one axis only
PICTURES = np.random.default_rng(0).integers(0, 256, size=(20, 8, 7, 3), dtype=np.uint8)
ROWS = np.random.default_rng(0).normal(scale=5, size=(20, 6)).astype(np.float32)


class BuiltClassifier(NetworkClassifier):
    """Whatever a function builds on the samples, and a softmax on that."""

    def __init__(self, build=None, *, epochs=1, random_state=0):
        super().__init__(epochs=epochs, random_state=random_state)
        self.build = build

    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(shape=input_shape)
        x = keras.layers.Flatten()(self.build(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def ready(model, X, classes=NAMES):
    """Make a model predict without training it, by random weights in all of its layers."""
    *steps, (_, classifier) = model.steps if isinstance(model, Pipeline) else [(None, model)]
    for _, step in steps:
        X = step.fit_transform(X)
    classifier.n_features_in_, classifier.sample_shape_ = X.shape[1], X.shape[1:]
    classifier.classes_ = np.array(classes)
    classifier.history_ = {"loss": [1.0], "accuracy": [0.5]}
    network = classifier.build_network(classifier.sample_shape_, len(classes))
    initial = [np.asarray(variable) for variable in network.variables]
    rng = np.random.default_rng(0)
    # what begins with ones are factors and variances, which are to stay positive
    weights = [rng.uniform(-0.5, 0.5, size=w.shape) + (w == 1).all() for w in initial]
    classifier.restore_network(weights)
    return model


def small_pipeline(**params):
    return make_dense_pipeline(**({"hidden_layer_sizes": (6, 5)} | params))


def ready_pipeline(**params):
    return ready(small_pipeline(**params), PICTURES)


def ready_built(build, X=PICTURES):
    """A pipeline, or for rows a classifier, with the network that ``build`` builds."""
    classifier = BuiltClassifier(build)
    return ready(classifier if X is ROWS else make_pipeline(PixelScaler(), classifier), X)


SAME = {"padding": "same"}
LAYERS_TO_EXPORT = [
    *(L.Activation("tanh"), L.Dense(4, use_bias=False), L.Dense(4, activation="softmax")),
    *(L.ELU(2), L.LeakyReLU(0.1), L.LeakyReLU(negative_slope=0), L.PReLU(shared_axes=[1, 2])),
    *(L.ReLU(), L.ReLU(6), L.ReLU(0.5, 0.3, 0.2), L.ReLU(negative_slope=1, threshold=1)),
    *(L.Softmax(), L.Softmax(axis=1), L.Dense(4, activation=L.LeakyReLU(0.3))),
    *(L.Flatten(), L.Reshape((7, -1)), L.Permute((2, 3, 1))),
    *(L.Rescaling(0.5, -0.2), L.Rescaling([0.5, 2.0, -1.0], [0.1, 0.2, 0.3])),
    *(BatchNormalization(), L.BatchNormalization(epsilon=0.1), L.BatchNormalization(axis=1)),
    *(L.BatchNormalization(scale=False, center=False), L.RMSNormalization()),
    *(L.LayerNormalization(), L.LayerNormalization([1, 2], center=False)),
    L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 0.5]),
    L.Normalization(mean=0.1, variance=2.0, invert=True),
    *(L.Conv2D(4, 3), L.Conv2D(4, (2, 4), strides=2, use_bias=False, activation="relu", **SAME)),
    *(L.Conv2D(4, 3, dilation_rate=2, **SAME), L.Conv2D(6, 3, groups=3), Whitening(4, 2)),
    *(L.DepthwiseConv2D(3, strides=2, depth_multiplier=2, activation="relu", **SAME),),
    *(
        L.SeparableConv2D(4, 3, depth_multiplier=2, **SAME),
        L.EinsumDense("abcd,de->abce", (8, 7, 5)),
    ),
    *(L.MaxPooling2D(), L.MaxPooling2D(3, strides=2, **SAME)),
    *(L.AveragePooling2D(2), L.AveragePooling2D(3, strides=2, **SAME)),
    *(L.GlobalMaxPooling2D(), L.GlobalAveragePooling2D(keepdims=True)),
    *(L.ZeroPadding2D(((1, 2), (0, 3))), L.Cropping2D(((1, 2), (0, 3)))),
    *(L.UpSampling2D((2, 3)), L.UpSampling2D(2, interpolation="bilinear"), L.CenterCrop(4, 5)),
    *(L.Resizing(11, 5), L.Resizing(4, 4, "nearest"), L.Resizing(6, 4, crop_to_aspect_ratio=True)),
    L.Pipeline([L.RandomFlip(), L.Rescaling(2.0), L.CenterCrop(4, 5)]),
    L.SpectralNormalization(L.Conv2D(4, 3)),
]
LAYERS_FOR_ROWS = [
    *(L.Conv1D(4, 3, **SAME), L.Conv1D(4, 2, dilation_rate=2, padding="causal")),
    *(L.DepthwiseConv1D(3), L.SeparableConv1D(4, 3), L.MaxPooling1D(), L.AveragePooling1D(3)),
    *(L.GlobalMaxPooling1D(), L.GlobalAveragePooling1D()),
    *(L.ZeroPadding1D((1, 2)), L.Cropping1D((1, 0))),
]
MERGES = [
    *(L.Add(), L.Average(), L.Concatenate(), L.Concatenate(axis=1)),
    *(L.Maximum(), L.Minimum(), L.Multiply(), L.Subtract()),
]
ONLY_IN_TRAINING = [
    *(L.ActivityRegularization(), L.AlphaDropout(0.5), L.AugMix(), L.Dropout(0.5), Dropout(0.5)),
    *(L.GaussianDropout(0.5), L.GaussianNoise(0.5), L.Identity(), L.RandAugment()),
    *(L.RandomBrightness(0.5), L.RandomColorDegeneration(0.5), L.RandomColorJitter()),
    *(L.RandomContrast(0.5), L.RandomCrop(8, 7), L.RandomElasticTransform(), L.RandomErasing()),
    *(L.RandomFlip(), L.RandomGaussianBlur(), L.RandomGrayscale(), L.RandomHue(0.5)),
    *(L.RandomInvert(), L.RandomPerspective(), L.RandomPosterization(4), L.RandomRotation(0.2)),
    *(L.RandomSaturation(0.5), L.RandomSharpness(0.5), L.RandomShear(), L.RandomZoom(0.2)),
    *(L.RandomTranslation(0.2, 0.2), L.SpatialDropout2D(0.5)),
]


def name_of(layer):
    return type(layer).__name__


def applied(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def anew(layer):
    return type(layer).from_config(layer.get_config())
