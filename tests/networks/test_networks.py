import keras
import numpy as np
import pytest

from skcifar import (
    build_convolutional_network,
    build_dense_network,
    build_whitening_network,
)


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


def test_convolutional_default_is_the_network_of_the_sequel():
    network = build_convolutional_network((32, 32, 3), 10)
    assert network.count_params() == 592_554
    convolution = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    assert layer_names(network) == [
        "InputLayer",
        *convolution * 4,
        "Flatten",
        *("Dense", "BatchNormalization", "LeakyReLU", "Dropout"),
        "Dense",
    ]
    convolutions = [layer for layer in network.layers if hasattr(layer, "filters")]
    assert [layer.output.shape[1:] for layer in convolutions] == [
        (32, 32, 32),
        (16, 16, 32),
        (16, 16, 64),
        (8, 8, 64),
    ]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}
    assert network.get_layer("dropout_1").rate == 0.5
    slopes = [layer.negative_slope for layer in network.layers if "LeakyReLU" in repr(layer)]
    assert slopes == pytest.approx([0.3] * 5)


def test_parameters_change_the_convolutional_network():
    network = build_convolutional_network(
        (8, 6, 1),
        3,
        filters=(5,),
        strides=(3,),
        kernel_size=2,
        hidden_layer_sizes=(),
        activation="relu",
        batch_normalization=False,
        dropout=0.9,
    )
    assert layer_names(network) == ["InputLayer", "Conv2D", "Activation", "Flatten", "Dense"]
    assert network.layers[1].kernel.shape == (2, 2, 1, 5)
    assert network.layers[1].output.shape == (None, 3, 2, 5)


@pytest.mark.parametrize("build", [build_convolutional_network, build_whitening_network])
@pytest.mark.parametrize("shape", [(3072,), (32, 32)])
def test_convolutions_refuse_what_are_no_pictures(build, shape):
    with pytest.raises(ValueError, match=r"need pictures of shape .* got samples of shape \("):
        build(shape, 10)


@pytest.mark.parametrize(
    ("build", "shape", "divisor"),
    [
        (build_convolutional_network, (32, 2, 3), "1 x 2 x 1 x 2 = 4"),
        (build_whitening_network, (4, 32, 3), "2 x 2 x 2 = 8"),
    ],
)
def test_pictures_too_small_for_the_strides_are_refused(build, shape, divisor):
    with pytest.raises(ValueError, match=f"too small for this network, .* by {divisor}"):
        build(shape, 10)


def test_strides_and_filters_go_in_pairs():
    with pytest.raises(ValueError, match=r"as many strides as filters, got filters=\(8, 8\)"):
        build_convolutional_network((32, 32, 3), 10, filters=(8, 8), strides=(1,))
