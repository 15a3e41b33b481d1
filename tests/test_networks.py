import keras
import numpy as np

from skcifar import build_dense_network


def layer_names(network):
    return [type(layer).__name__ for layer in network.layers]


def test_default_is_the_network_of_the_article():
    network = build_dense_network((32, 32, 3), 10)
    assert network.count_params() == 646_260
    assert layer_names(network) == ["InputLayer", "Flatten", "Dense", "Dense", "Dense"]
    assert [layer.output.shape[1:] for layer in network.layers[1:]] == [
        (3072,),
        (200,),
        (150,),
        (10,),
    ]
    assert [layer.activation.__name__ for layer in network.layers[2:]] == [
        "relu",
        "relu",
        "softmax",
    ]


def test_flat_samples_need_no_flatten_layer():
    network = build_dense_network((3072,), 10)
    assert network.count_params() == 646_260
    assert layer_names(network) == ["InputLayer", "Dense", "Dense", "Dense"]


def test_dropout_follows_each_hidden_layer():
    network = build_dense_network((4,), 2, hidden_layer_sizes=(3, 3), dropout=0.5)
    assert layer_names(network)[1:] == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]


def test_batch_normalization_stands_between_the_sums_and_the_activation():
    network = build_dense_network(
        (4,), 2, hidden_layer_sizes=(3,), batch_normalization=True, dropout=0.5
    )
    assert layer_names(network)[1:] == [
        "Dense",
        "BatchNormalization",
        "Activation",
        "Dropout",
        "Dense",
    ]


def test_no_hidden_layers_make_a_softmax_regression():
    assert build_dense_network((4,), 3, hidden_layer_sizes=()).count_params() == 15


def test_network_is_functional_and_not_compiled():
    network = build_dense_network((4,), 2)
    assert isinstance(network, keras.Model)
    assert not network.compiled


def test_output_is_probabilities():
    output = build_dense_network((4,), 3)(np.ones((2, 4), dtype=np.float32))
    np.testing.assert_allclose(np.sum(output, axis=1), 1, rtol=1e-6)
