import json
import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from custom_estimators import ConvolutionalOnRowsClassifier
from exported_networks import (
    LAYERS_FOR_ROWS,
    LAYERS_TO_EXPORT,
    MERGES,
    NAMES,
    ONLY_IN_TRAINING,
    PICTURES,
    ROWS,
    SAME,
    L,
    anew,
    applied,
    name_of,
    ready,
    ready_built,
    ready_pipeline,
    small_pipeline,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skcifar
from skcifar import (
    DenseClassifier,
    NetworkClassifier,
    PixelScaler,
    export_onnx,
    load_model,
    make_convolutional_pipeline,
    make_dense_pipeline,
    make_whitening_pipeline,
    save_model,
)
from skcifar.cli._parser import main
from skcifar.networks import ACTIVATIONS, Dropout, MeanOfViews, Views
from skcifar.persistence import ExportError
from skcifar.persistence._graph_layers import ACTIVATIONS as EXPORTED_ACTIVATIONS
from skcifar.persistence._graph_layers import LAYERS


def answers(path, X):
    session = onnxruntime.InferenceSession(path)
    (taken,) = session.get_inputs()
    return session.run(["label", "probabilities"], {taken.name: X})


def assert_same_answers(model, path, X):
    label, probabilities = answers(path, X)
    expected = model.predict_proba(X)
    assert 0.01 < expected.max(axis=1).mean() < 0.99  # saturated ones would hide differences
    assert expected.std(axis=0).max() > 1e-4
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(label, model.predict(X))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


# --- what is computed ---


@pytest.mark.parametrize(
    "pipeline",
    [
        small_pipeline(hidden_layer_sizes=()),
        small_pipeline(batch_normalization=True, dropout=0.3),
        make_convolutional_pipeline(filters=(4, 5), strides=(1, 2), hidden_layer_sizes=(6,)),
        make_whitening_pipeline(filters=(4, 5)),
        make_whitening_pipeline(filters=(4,), horizontal_flip=False),
        make_whitening_pipeline(filters=(4,), activation="leaky_relu"),
    ],
    ids=["softmax", "dense", "convolutional", "six views", "three views", "leaky"],
)
def test_onnxruntime_answers_as_the_pipeline_does(pipeline, path):
    export_onnx(ready(pipeline, PICTURES), path)
    assert_same_answers(pipeline, path, PICTURES)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activations_are_alike(activation, path):
    classifier = ready(DenseClassifier(hidden_layer_sizes=(8,), activation=activation), ROWS)
    export_onnx(classifier, path)
    assert_same_answers(classifier, path, ROWS)


@pytest.mark.parametrize("layer", LAYERS_TO_EXPORT, ids=name_of)
def test_layers_are_alike(layer, path):
    pipeline = ready_built(lambda x: anew(layer)(x))
    export_onnx(pipeline, path)
    assert_same_answers(pipeline, path, PICTURES)


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS_FOR_ROWS, ids=name_of)
def test_layers_for_rows_are_alike(layer, path):
    classifier = ready_built(lambda x: anew(layer)(L.RepeatVector(5)(x)), ROWS)
    export_onnx(classifier, path)
    assert_same_answers(classifier, path, ROWS)


@pytest.mark.slow
@pytest.mark.parametrize("layer", MERGES, ids=name_of)
def test_merges_are_alike(layer, path):
    pipeline = ready_built(lambda x: anew(layer)([L.Activation("tanh")(x), L.Conv2D(3, 1)(x)]))
    export_onnx(pipeline, path)
    assert_same_answers(pipeline, path, PICTURES)


def test_layers_that_do_nothing_at_prediction_are_left_out(path):
    pipeline = ready_built(lambda x: applied([anew(layer) for layer in ONLY_IN_TRAINING], x))
    export_onnx(pipeline, path)
    assert len(onnx.load(path).graph.node) < 15
    assert_same_answers(pipeline, path, PICTURES)


@pytest.mark.slow
@pytest.mark.parametrize("activation", sorted(a.__name__ for a in EXPORTED_ACTIVATIONS))
def test_activations_of_keras_are_alike(activation, path):
    classifier = ready_built(L.Dense(8, activation=activation), ROWS)
    export_onnx(classifier, path)
    assert_same_answers(classifier, path, ROWS)


def test_no_kind_of_layer_is_left_untested():
    tested = [*LAYERS_TO_EXPORT, *LAYERS_FOR_ROWS, *MERGES, *ONLY_IN_TRAINING]
    assert {*map(type, tested), L.RepeatVector, L.SpatialDropout1D, Views, MeanOfViews} == set(
        LAYERS
    )


def functional(inputs, *layers):
    return keras.Model(inputs, applied(layers, inputs))


def sequential_twice(x):
    inner = keras.Sequential([keras.Input((8, 7, 3)), L.Conv2D(3, 3, **SAME), L.ReLU()])
    return keras.Sequential([inner, L.MaxPooling2D()])(x)


def functional_twice(x):
    inner = functional(keras.Input((8, 7, 3)), L.Conv2D(3, 3, **SAME), L.ReLU())
    return functional(keras.Input((8, 7, 3)), inner, inner, L.MaxPooling2D())(x, training=False)


def layer_on_two_sizes(x):
    layer = L.Conv2D(3, 3, strides=2, **SAME)
    return layer(L.Dropout(0.5)(layer(x), training=True))


def network_on_two_branches(x):
    shared = functional(keras.Input((None, None, 3)), L.Conv2D(3, 3, strides=2, **SAME))
    return L.Concatenate()([shared(x), shared(L.Activation("tanh")(x))])


def arithmetic(x):
    return 2 * (x / 0.5 - 1.0) + L.Conv2D(3, 1)(inputs=x)


@pytest.mark.parametrize(
    "build",
    [
        *(sequential_twice, functional_twice, layer_on_two_sizes, network_on_two_branches),
        arithmetic,
    ],
)
def test_networks_are_followed_however_they_are_put_together(build, path):
    pipeline = ready_built(build)
    export_onnx(pipeline, path)
    assert_same_answers(pipeline, path, PICTURES)


@pytest.mark.slow
def test_applications_of_keras_are_followed(path):
    def build(x):
        network = keras.applications.MobileNetV2(
            input_shape=(32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg"
        )
        x = L.Resizing(32, 32)(x)
        return network(keras.applications.mobilenet_v2.preprocess_input(255 * x), training=False)

    pipeline = ready_built(build)
    classifier = pipeline[-1]  # in so deep a network, small weights would leave no differences
    initial = classifier.build_network((8, 7, 3), len(NAMES)).get_weights()
    classifier.restore_network([w * 3 if w.ndim > 1 else w for w in initial])
    export_onnx(pipeline, path)
    assert_same_answers(pipeline, path, PICTURES)


def test_networks_within_networks_are_followed(path):
    classifier = ConvolutionalOnRowsClassifier(
        filters=(4,), strides=(1,), hidden_layer_sizes=(5,), activation="relu"
    )
    export_onnx(ready(classifier, ROWS), path)
    assert_same_answers(classifier, path, ROWS)


def test_sequential_networks_are_followed(path):
    class SequentialClassifier(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            layers = [L.Dense(5, activation="relu"), L.Dense(n_classes, activation="softmax")]
            return keras.Sequential([keras.Input(input_shape), *layers])

    classifier = ready(SequentialClassifier(), ROWS)
    export_onnx(classifier, path)
    assert_same_answers(classifier, path, ROWS)


@pytest.mark.slow
def test_real_pictures_get_the_same_answers(real_cifar10, path):
    X, y = real_cifar10["train"].images[:500], real_cifar10["train"].target[:500]
    pipeline = make_dense_pipeline(epochs=1, random_state=0).fit(X, y)
    export_onnx(pipeline, path)
    assert len(real_cifar10["test"].images) == 10_000
    assert_same_answers(pipeline, path, real_cifar10["test"].images)


# --- what goes in and comes out ---


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [
        (["ä", "bird"], object),
        (np.array(["a", "b"], dtype=object), object),
        (np.array([3, 7], dtype=np.int32), np.int64),
        ([False, True], bool),
    ],
    ids=["strings", "objects", "integers", "booleans"],
)
def test_labels_are_those_of_the_training(classes, dtype, path):
    classifier = ready(DenseClassifier(), ROWS, classes)
    export_onnx(classifier, path)
    label, _ = answers(path, ROWS)
    assert label.dtype == dtype
    assert set(label.tolist()) == set(np.asarray(classes).tolist())
    np.testing.assert_array_equal(label, classifier.predict(ROWS))


def test_names_of_classes_are_inside(path):
    export_onnx(ready_pipeline(), path)
    metadata = onnxruntime.InferenceSession(path).get_modelmeta()
    assert json.loads(metadata.custom_metadata_map["class_names"]) == NAMES.tolist()
    assert metadata.producer_name == "skcifar"


def test_version_is_inside(path):
    export_onnx(ready_pipeline(), path)
    assert onnx.load(path).producer_version == skcifar.__version__


def test_pictures_of_8_bits_go_in(path):
    export_onnx(ready_pipeline(), path)
    (taken,) = onnxruntime.InferenceSession(path).get_inputs()
    assert (taken.name, taken.type) == ("pictures", "tensor(uint8)")
    assert taken.shape == ["n_samples", 8, 7, 3]


@pytest.mark.parametrize("n_samples", [1, 3])
def test_any_number_of_pictures_goes_in(n_samples, path):
    export_onnx(ready_pipeline(), path)
    label, probabilities = answers(path, PICTURES[:n_samples])
    assert label.shape == (n_samples,)
    assert probabilities.shape == (n_samples, 3)
    assert probabilities.dtype == np.float32


def test_pixels_of_another_range_are_no_bytes(path):
    X = PICTURES.astype(np.float32) / 255
    pipeline = small_pipeline().set_params(scale__max_value=0.5)
    export_onnx(ready(pipeline, X), path)
    assert_same_answers(pipeline, path, X)


def test_classifier_alone_takes_samples(path):
    export_onnx(ready(DenseClassifier(), ROWS), path)
    (taken,) = onnxruntime.InferenceSession(path).get_inputs()
    assert (taken.name, taken.type) == ("samples", "tensor(float)")
    assert taken.shape == ["n_samples", 6]


def test_names_of_columns_are_no_reason_to_warn(path, recwarn):
    pandas = pytest.importorskip("pandas")
    classifier = ready(DenseClassifier(), ROWS)
    classifier.feature_names_in_ = pandas.DataFrame(ROWS, columns=[*"abcdef"]).columns.to_numpy()
    export_onnx(classifier, path)
    assert not [warning for warning in recwarn if "feature names" in str(warning.message)]


# --- what is refused ---


class OwnDense(keras.layers.Dense):
    """A layer of one's own, whatever it computes."""


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: L.GRU(2, name="mine")(L.Reshape((2, 3))(x)), "'mine' of the class GRU cannot"),
        (lambda x: L.Lambda(lambda x: -x, name="mine")(x), "'mine' of the class Lambda cannot"),
        (lambda x: OwnDense(6, name="mine")(x), "'mine' of the class OwnDense cannot be exported"),
        (lambda x: abs(x), r"The operation 'absolute.*' \(Absolute\) on tensors cannot be"),
        (
            lambda x: L.Dense(6, activation="squareplus", name="mine")(x),
            "squareplus.* of the layer",
        ),
        (lambda x: L.Dense(6, dtype="mixed_float16", name="mine")(x), "'mine'.* mixed_float16"),
        (lambda x: L.Flatten(data_format="channels_first", name="mine")(x), "'mine'.* data_format"),
        (lambda x: L.Softmax([1, 2], name="mine")(L.Reshape((2, 3))(x)), r"'mine' has axis=\[1, 2"),
        (
            lambda x: L.Add(name="mine")([x, L.Reshape((1, 6))(x)]),
            "'mine' merges tensors with diff",
        ),
    ],
)
def test_layers_that_cannot_be_exported_are_named(build, message, path):
    with pytest.raises(ExportError, match=message):
        export_onnx(ready_built(build, ROWS), path)
    assert not path.exists()


def test_networks_whose_layers_cannot_be_followed_are_refused(path):
    class Subclassed(keras.Model):
        def __init__(self, n_classes):
            super().__init__(name="subclassed")
            self.last = L.Dense(n_classes, activation="softmax")

        def call(self, x):
            return self.last(x)

    class SubclassedClassifier(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            network = Subclassed(n_classes)
            network(np.zeros((1, *input_shape), np.float32))
            return network

    with pytest.raises(ExportError, match=r"'subclassed' is not built with Keras' Functional API"):
        export_onnx(ready(SubclassedClassifier(), ROWS), path)


def test_networks_for_any_size_are_exported_for_that_of_the_training(path):
    class AnySizeClassifier(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            inputs = keras.Input((None, None, 3))
            x = L.Conv2D(4, 3, strides=2, padding="same")(inputs)
            x = L.GlobalMaxPooling2D()(x)
            return keras.Model(inputs, L.Dense(n_classes, activation="softmax")(x))

    pipeline = ready(make_pipeline(PixelScaler(), AnySizeClassifier()), PICTURES)
    export_onnx(pipeline, path)
    assert_same_answers(pipeline, path, PICTURES)


def test_network_that_would_compute_something_else_is_refused(monkeypatch, path):
    monkeypatch.setitem(LAYERS, Dropout, lambda graph, layer, x: graph.add("Neg", x))
    with pytest.raises(ExportError, match="as ONNX, its probabilities would differ by up to"):
        export_onnx(ready_pipeline(dropout=0.5), path)
    assert not path.exists()


def test_networks_in_float64_are_refused(float64, path):
    with pytest.raises(ExportError, match="'hidden_1' of the class Dense computes in float64"):
        export_onnx(ready_pipeline(), path)


def test_steps_that_cannot_be_exported_are_named(path):
    pipeline = make_pipeline(StandardScaler(), DenseClassifier())
    with pytest.raises(ExportError, match="'standardscaler' of the class StandardScaler cannot"):
        export_onnx(ready(pipeline, ROWS), path)


@pytest.mark.parametrize(
    "model", [LogisticRegression(), make_pipeline(PixelScaler(), LogisticRegression()), 42]
)
def test_models_without_a_network_are_refused(model, path):
    with pytest.raises(ExportError, match="Only a NetworkClassifier, or a Pipeline that ends in"):
        export_onnx(model, path)


def test_labels_of_other_kinds_are_refused(path):
    pipeline = ready(small_pipeline(), PICTURES, np.array([1.0, 2.0]))
    with pytest.raises(ExportError, match="dtype float64 cannot be exported"):
        export_onnx(pipeline, path)


@pytest.mark.parametrize("model", [small_pipeline(), DenseClassifier()])
def test_models_that_are_not_fitted_are_refused(model, path):
    with pytest.raises(NotFittedError):
        export_onnx(model, path)


def test_file_stays_as_it_was_if_nothing_can_be_exported(path):
    path.write_text("before")
    with pytest.raises(ExportError):
        export_onnx(ready_built(L.UnitNormalization(), ROWS), path)
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]


def test_missing_library_is_reported(monkeypatch, path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "skcifar\[onnx\]"'):
        export_onnx(small_pipeline(), path)


# --- the command ---


@pytest.fixture
def saved(tmp_path):
    saved = tmp_path / "model.safetensors"
    save_model(ready_pipeline(), saved)
    return saved


def error_of(capsys, *argv):
    assert main(["export", *map(str, argv)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_command_writes_the_model_and_prints_its_inputs_and_outputs(saved, path, capsys):
    assert main(["export", str(saved), str(path)]) == 0
    assert_same_answers(load_model(saved), path, PICTURES)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        f"{path} takes pictures (uint8, n_samples x 8 x 7 x 3), gives label (string, n_samples) and"
        " probabilities (float, n_samples x 3); "
    )
    assert line.endswith(f"; {path.stat().st_size / 1000:,.0f} kB")


def test_command_says_that_the_library_is_missing(saved, path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert 'pip install "skcifar[onnx]"' in error_of(capsys, saved, path)
    assert not path.exists()


def test_command_says_that_a_file_is_no_model(path, capsys):
    assert "is not a file" in error_of(capsys, "nowhere", path)
    assert not path.exists()


def test_command_says_that_there_is_no_folder(saved, path, capsys):
    assert "there is no folder" in error_of(capsys, saved, path.parent / "nowhere" / "x.onnx")


def test_size_and_way_of_resizing_are_in_the_metadata(tmp_path):
    pipeline = make_dense_pipeline(
        hidden_layer_sizes=(2,), epochs=1, image_size=(4, 5), resize="pad"
    )
    X = np.random.default_rng(0).integers(256, size=(6, 8, 7, 3), dtype=np.uint8)
    export_onnx(pipeline.fit(X, [0, 1] * 3), tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata == {"class_names": "[0, 1]", "image_size": "[4, 5]", "resize": "pad"}
    axes = model.graph.input[0].type.tensor_type.shape.dim
    assert [axis.dim_value for axis in axes[1:]] == [4, 5, 3]
