"""What notebooks show of a classifier."""

from dataclasses import dataclass

import keras
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from small_networks import small

from skcifar import NetworkClassifier


@dataclass(kw_only=True, eq=False, repr=False)
class SharedClassifier(NetworkClassifier):
    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(input_shape)
        shared = keras.layers.Dense(input_shape[0], name="shared")
        inner = keras.Sequential([keras.layers.Dense(3)], name="in>ner")
        outputs = keras.layers.Dense(n_classes, activation="softmax")(inner(shared(shared(inputs))))
        return keras.Model(inputs, outputs)


def test_fitted_classifier_shows_parameters_and_layers(blobs):
    html = small().fit(*blobs)._repr_html_()
    assert "hidden_layer_sizes" in html
    assert "Network: 3 layers, 58 weights" in html
    layer = "<td>hidden_1</td><td>Dense</td><td>(8,)</td><td>40</td>"
    assert layer in html


def test_pipeline_shows_the_layers_of_its_last_step(blobs):
    html = make_pipeline(FunctionTransformer(), small()).fit(*blobs)._repr_html_()
    assert "Network: 3 layers" in html


def test_unfitted_classifier_shows_parameters_alone():
    html = small()._repr_html_()
    assert "hidden_layer_sizes" in html
    assert "Network:" not in html


def test_shared_and_nested_layers_are_shown_and_names_are_escaped(blobs):
    html = SharedClassifier(epochs=1).fit(*blobs)._repr_html_()
    assert "<td>shared</td><td>Dense</td><td>(4,)</td><td>20</td>" in html
    assert "<td>in&gt;ner</td><td>Sequential</td><td>(3,)</td><td>15</td>" in html


def test_layer_with_several_outputs_is_shown(blobs):
    classifier = small().fit(*blobs)
    inputs = keras.Input((4, 2))
    outputs = keras.layers.LSTM(3, return_state=True, name="several")(inputs)
    classifier.model_ = keras.Model(inputs, outputs)
    rows = classifier.describe_for_notebooks()[1]
    assert rows[-1] == ("several", "LSTM", [(3,), (3,), (3,)], "72")
