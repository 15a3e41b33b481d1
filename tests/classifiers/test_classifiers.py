import ast
import copy
import inspect
import itertools
import math
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from numbers import Integral
from typing import ClassVar

import keras
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, check_cv
from small_networks import small, weights_of

from skcifar import (
    DenseClassifier,
    NetworkClassifier,
    build_dense_network,
    load_digit_images,
    load_model,
    make_dense_pipeline,
    save_model,
)
from skcifar._sklearn.validation import Interval, InvalidParameterError
from skcifar.classifiers import CLASSIFIERS
from skcifar.training._fit import Training, _epochs

# --- the article ---


def test_defaults_compile_as_the_article_does():
    X = np.zeros((10, 32, 32, 3), dtype=np.float32)
    classifier = DenseClassifier(epochs=1).fit(X, np.arange(10))
    assert classifier.model_.count_params() == 646_260
    assert isinstance(classifier.model_.optimizer, keras.optimizers.Adam)
    assert float(classifier.model_.optimizer.learning_rate) == pytest.approx(5e-4)
    assert isinstance(classifier.model_.loss, keras.losses.CategoricalCrossentropy)


def test_defaults_train_as_the_article_does():
    classifier = DenseClassifier()
    params = [classifier.value_of(name) for name in ("batch_size", "epochs", "shuffle")]
    assert params == [32, 10, True]


def test_digits_are_learned_to_95_percent():
    pipeline = make_dense_pipeline(random_state=0).fit(*load_digit_images(return_X_y=True))
    assert pipeline.score(*load_digit_images(subset="test", return_X_y=True)) >= 0.95


@pytest.mark.slow
def test_one_epoch_on_the_real_pictures_beats_30_percent(real_cifar10):
    train, test = real_cifar10["train"], real_cifar10["test"]
    pipeline = make_dense_pipeline(epochs=1, random_state=0).fit(train.images, train.target)
    assert pipeline.score(test.images, test.target) > 0.30


def test_every_epoch_takes_every_sample_once_in_another_order():
    arrays, rows = (np.zeros((50, 1)), np.zeros(50), np.ones(50)), np.arange(50)
    epochs = _epochs(arrays, rows, Training(epochs=2), initial_epoch=0, shuffle=True)
    first, second = itertools.islice(epochs, 2)
    assert sorted(first.rows) == sorted(second.rows) == list(range(50))
    assert first.rows.tolist() != second.rows.tolist()


def test_last_batch_of_an_epoch_is_trained_on(blobs):
    X, y = blobs
    classifier = small(batch_size=15, epochs=2).fit(X, y)  # 15, 15 and 10
    assert int(classifier.model_.optimizer.iterations) == 6


# --- a scikit-learn classifier ---


def test_fitted_attributes(blobs):
    classifier = small().fit(*blobs)
    assert classifier.classes_.tolist() == [0, 1]
    assert classifier.n_features_in_ == 4
    assert classifier.n_iter_ == 5
    assert set(classifier.history_) == {"loss", "accuracy"}
    assert all(len(values) == 5 for values in classifier.history_.values())
    assert classifier.keras_classifier_.model_ is classifier.model_


def test_column_names_are_remembered(blobs):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(blobs[0], columns=list("abcd"))
    assert small().fit(X, blobs[1]).feature_names_in_.tolist() == list("abcd")


@pytest.mark.parametrize(
    "labels", [["cat", "dog"], [-3, 7], [False, True], np.array(["cat", "dog"], dtype=object)]
)
def test_labels_come_back_as_they_were_given(blobs, labels):
    X, y = blobs
    labels = np.asarray(labels)
    classifier = small(epochs=20).fit(X, labels[y])
    assert classifier.predict(X).dtype == labels.dtype
    assert classifier.score(X, labels[y]) > 0.9


def test_one_row_of_probabilities_is_a_row(blobs):
    assert small().fit(*blobs).predict_proba(blobs[0][:1]).shape == (1, 2)


def test_it_is_a_classifier_and_folds_are_stratified():
    classifier = DenseClassifier()
    assert is_classifier(classifier)
    assert isinstance(
        check_cv(3, [0, 1] * 3, classifier=is_classifier(classifier)), StratifiedKFold
    )


def test_clone_keeps_every_parameter():
    params = {
        "hidden_layer_sizes": (3,),
        "optimizer": "sgd",
        "max_minutes": 2,
        "schedule_moves": [(0, 5)],
        "activation": "tanh",
        "batch_normalization": True,
        "dropout": 0.1,
        "learning_rate": 0.2,
        "learning_rate_schedule": "cosine",
        "weight_decay": 0.3,
        "label_smoothing": 0.2,
        "batch_size": 7,
        "epochs": 3,
        "shuffle": False,
        "early_stopping": True,
        "validation_fraction": 0.4,
        "n_iter_no_change": 6,
        "tol": 0.5,
        "class_weight": "balanced",
        "warm_start": True,
        "random_state": 5,
        "checkpoint": None,
        "verbose": 2,
        "callbacks": None,
    }
    classifier = DenseClassifier(**params)
    assert classifier.get_params() == params
    assert clone(classifier).get_params() == params


def test_parameters_are_reached_through_the_pipeline():
    pipeline = make_dense_pipeline().set_params(classify__hidden_layer_sizes=(5,))
    assert [name for name, _ in pipeline.steps] == ["resize", "scale", "flatten", "classify"]
    assert pipeline.get_params()["classify__hidden_layer_sizes"] == (5,)


def test_grid_search_over_layer_sizes_of_pictures():
    X, y = load_digit_images(return_X_y=True)
    search = GridSearchCV(
        make_dense_pipeline(epochs=2, random_state=0),
        {"classify__hidden_layer_sizes": [(2,), (50,)]},
        cv=2,
    ).fit(X[:400], y[:400])
    assert search.best_params_ == {"classify__hidden_layer_sizes": (50,)}
    assert search.best_score_ > 0.5


def test_voting_takes_it(blobs):
    voting = VotingClassifier(
        [("network", small(epochs=20)), ("linear", LogisticRegression())], voting="soft"
    )
    assert voting.fit(*blobs).score(*blobs) > 0.9


def test_calibration_takes_it(blobs):
    assert CalibratedClassifierCV(small(epochs=20), cv=2).fit(*blobs).score(*blobs) > 0.9


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_predicts_and_learns_like_its_original(blobs, copied):
    X, y = blobs
    original = small().fit(X, y)
    twin = copied(original)
    np.testing.assert_array_equal(twin.predict_proba(X), original.predict_proba(X))
    np.testing.assert_array_equal(
        weights_of(twin.partial_fit(X, y)), weights_of(original.partial_fit(X, y))
    )


def test_pictures_need_no_flattening(blobs):
    X, y = blobs
    classifier = small().fit(X.reshape(-1, 2, 2, 1), y)
    assert classifier.predict(X.reshape(-1, 2, 2, 1)).shape == (40,)
    assert type(classifier.model_.layers[1]).__name__ == "Flatten"


def test_many_rows_are_predicted_as_few_are(blobs):
    classifier = small().fit(*blobs)
    X = np.resize(blobs[0], (5000, 4))
    np.testing.assert_allclose(
        classifier.predict_proba(X)[-40:], classifier.predict_proba(X[-40:]), atol=1e-6
    )


def test_callbacks_are_called(blobs):
    losses = []
    log = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs))
    classifier = small(callbacks=[log]).fit(*blobs)
    assert [logs["loss"] for logs in losses] == classifier.history_["loss"]


def test_callbacks_do_not_keep_a_fitted_estimator_from_pickling(blobs):
    log = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)
    classifier = small(callbacks=[log]).fit(*blobs).set_params(callbacks=None)
    twin = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(weights_of(twin), weights_of(classifier))


def test_history_has_no_number_where_an_epoch_has_none(blobs):
    classifier = small(warm_start=True).fit(*blobs)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)
    classifier.set_params(callbacks=[schedule]).fit(*blobs)
    assert {name: len(values) for name, values in classifier.history_.items()} == {
        "loss": 10,
        "accuracy": 10,
        "learning_rate": 10,
    }
    np.testing.assert_allclose(
        classifier.history_["learning_rate"], [math.nan] * 5 + [0.01] * 5, rtol=1e-6
    )


# --- networks of one's own ---


class OneLayerClassifier(NetworkClassifier):
    def build_network(self, input_shape, n_classes):
        return build_dense_network(input_shape, n_classes, hidden_layer_sizes=[])


@dataclass(kw_only=True, eq=False, repr=False)
class FieldClassifier(NetworkClassifier):
    width: int = 3
    epochs: int = 2

    _parameter_constraints: ClassVar[dict] = NetworkClassifier._parameter_constraints | {
        "width": [Interval(Integral, 1, None, closed="left")]
    }

    def build_network(self, input_shape, n_classes):
        return build_dense_network(input_shape, n_classes, hidden_layer_sizes=[self.width])


class InitClassifier(NetworkClassifier):
    def __init__(self, width=3, *, epochs=2, random_state=None):
        super().__init__(epochs=epochs, random_state=random_state)
        self.width = width

    build_network = FieldClassifier.build_network


class InheritingClassifier(DenseClassifier):
    """With no parameters of its own."""


@pytest.mark.parametrize(
    ("cls", "own"),
    [
        (OneLayerClassifier, {}),
        (FieldClassifier, {"width": 4}),
        (InitClassifier, {"width": 4}),
        (InheritingClassifier, {"hidden_layer_sizes": (4,)}),
    ],
)
def test_subclass_is_an_estimator_however_it_names_its_parameters(blobs, cls, own):
    params = own | {"epochs": 1, "random_state": 0}
    classifier = clone(cls(**params)).fit(*blobs)
    assert classifier.get_params().items() >= params.items()
    assert repr(classifier).startswith(f"{cls.__name__}(epochs=1")
    same = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(same.predict_proba(blobs[0]), classifier.predict_proba(blobs[0]))


def test_constraint_of_a_subclass_is_checked_as_those_of_the_base_are(blobs):
    with pytest.raises(InvalidParameterError, match="'width' parameter of FieldClassifier"):
        FieldClassifier(width=0).fit(*blobs)
    with pytest.raises(InvalidParameterError, match="'tol' parameter of FieldClassifier"):
        FieldClassifier(tol=-1).fit(*blobs)


@pytest.mark.parametrize("cls", [NetworkClassifier, *CLASSIFIERS.values()])
def test_every_parameter_is_documented_with_its_default(cls):
    documented = re.findall(r"(?m)^(\w+) :[^\0]*?, default=(.+)$", inspect.getdoc(cls))
    defaults = {field.name: field.default for field in fields(cls)}
    assert {name: ast.literal_eval(default) for name, default in documented} == defaults


def test_documentation_has_every_section_once():
    headings = re.findall(r"(?m)^(.+)\n-+$", inspect.getdoc(DenseClassifier))
    assert headings == [
        *("Parameters", "Attributes", "See Also", "Notes", "References", "Examples")
    ]


def test_network_may_be_built_from_another_that_is_trained_on_the_way(blobs):
    class Nested(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            return small(epochs=1).fit(*blobs).model_

    Nested(epochs=1).fit(*blobs)


def test_learning_rate_may_be_an_int(blobs):
    assert small(learning_rate=1, epochs=1).fit(*blobs).partial_fit(*blobs).n_iter_ == 2


class Careless(NetworkClassifier):
    def build_network(self, input_shape, n_classes):
        return self.network


@pytest.mark.parametrize(
    ("network", "reported"),
    [(None, "Got None instead"), (build_dense_network((4,), 5), r"Got \(None, 5\) instead")],
)
def test_network_that_gives_no_probability_for_each_class_is_refused(blobs, network, reported):
    classifier = Careless()
    classifier.network = network
    message = rf"Careless.build_network must return a keras.Model .* \(None, 2\).* {reported}"
    with pytest.raises(ValueError, match=message):
        classifier.fit(*blobs)


def test_network_without_softmax_is_refused(blobs):
    inputs = keras.Input((4,))
    classifier = Careless()
    classifier.network = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match=r"ends in probabilities, by a softmax. Its .* 0 instead"):
        classifier.fit(*blobs)


def test_error_of_build_network_names_the_class_and_its_parameters(blobs):
    class Strict(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            raise TypeError("no layers")

    message = r"no layers\nRaised by build_network of Strict\(epochs=1\)"
    with pytest.raises(TypeError, match=message):
        Strict(epochs=1).fit(*blobs)


def test_base_class_has_no_network():
    with pytest.raises(TypeError, match="build_network"):
        NetworkClassifier()


def test_log_probabilities_are_the_logarithms(blobs):
    X, y = blobs
    classifier = small().fit(X, y)
    np.testing.assert_array_equal(
        classifier.predict_log_proba(X), np.log(classifier.predict_proba(X))
    )


class WithoutInputClassifier(NetworkClassifier):
    def build_network(self, input_shape, n_classes):
        return keras.Sequential([keras.layers.Dense(n_classes, activation="softmax")])


def test_sequential_network_without_an_input_is_built_on_the_samples_shape(blobs):
    X, y = blobs
    classifier = WithoutInputClassifier(epochs=1, random_state=0).fit(X, y)
    assert classifier.model_.input_shape == (None, X.shape[1])


def test_network_may_be_made_of_a_saved_one(blobs, tmp_path):
    X, y = blobs
    save_model(small().fit(X, y), tmp_path / "body.safetensors")

    class OnAnother(NetworkClassifier):
        def build_network(self, input_shape, n_classes):
            body = load_model(tmp_path / "body.safetensors").model_
            body.trainable = False
            inputs = keras.Input(input_shape)
            outputs = keras.layers.Dense(n_classes, activation="softmax")(body(inputs))
            return keras.Model(inputs, outputs)

    with ThreadPoolExecutor(2) as pool:
        fits = [pool.submit(OnAnother(epochs=1, random_state=0).fit, X, y) for _ in range(2)]
        first, second = (fit.result(timeout=60).predict_proba(X) for fit in fits)
    np.testing.assert_array_equal(first, second)
