import copy
import pickle
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, check_cv

from skcifar import (
    DenseClassifier,
    NetworkClassifier,
    build_dense_network,
    load_digit_images,
    make_dense_pipeline,
)
from skcifar.training import _batches


def small(**params):
    defaults = {"hidden_layer_sizes": (8,), "learning_rate": 0.05, "epochs": 5, "random_state": 0}
    return DenseClassifier(**(defaults | params))


def weights_of(classifier):
    return np.concatenate([weight.ravel() for weight in classifier.model_.get_weights()])


# --- the article ---


def test_defaults_compile_as_the_article_does():
    X = np.zeros((10, 32, 32, 3), dtype=np.float32)
    classifier = DenseClassifier(epochs=1).fit(X, np.arange(10))
    assert classifier.model_.count_params() == 646_260
    assert isinstance(classifier.model_.optimizer, keras.optimizers.Adam)
    assert float(classifier.model_.optimizer.learning_rate) == pytest.approx(5e-4)
    assert isinstance(classifier.model_.loss, keras.losses.CategoricalCrossentropy)


def test_defaults_train_as_the_article_does():
    params = DenseClassifier().get_params()
    assert (params["batch_size"], params["epochs"], params["shuffle"]) == (32, 10, True)


def test_digits_are_learned_to_95_percent():
    pipeline = make_dense_pipeline(random_state=0).fit(*load_digit_images(return_X_y=True))
    assert pipeline.score(*load_digit_images(subset="test", return_X_y=True)) >= 0.95


def test_one_epoch_on_the_real_pictures_beats_30_percent(real_cifar10):
    train, test = real_cifar10["train"], real_cifar10["test"]
    pipeline = make_dense_pipeline(epochs=1, random_state=0).fit(train.images, train.target)
    assert pipeline.score(test.images, test.target) > 0.30


def test_every_epoch_takes_every_sample_once_in_another_order():
    X = np.arange(50)
    batches = _batches(X, X, None, batch_size=20, epochs=2, shuffle=True, seed=0)
    first, second = np.split(np.concatenate([x for x, _ in batches.as_numpy_iterator()]), 2)
    assert [len(x) for x, _ in batches.as_numpy_iterator()] == [20, 20, 10] * 2
    assert sorted(first) == sorted(second) == X.tolist()
    assert first.tolist() != second.tolist()


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
        "activation": "tanh",
        "dropout": 0.1,
        "learning_rate": 0.2,
        "batch_size": 7,
        "epochs": 3,
        "shuffle": False,
        "class_weight": "balanced",
        "warm_start": True,
        "random_state": 5,
        "verbose": 2,
        "callbacks": None,
    }
    classifier = DenseClassifier(**params)
    assert classifier.get_params() == params
    assert clone(classifier).get_params() == params


def test_parameters_are_reached_through_the_pipeline():
    pipeline = make_dense_pipeline().set_params(classify__hidden_layer_sizes=(5,))
    assert [name for name, _ in pipeline.steps] == ["scale", "flatten", "classify"]
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


def test_history_holds_what_every_epoch_has(blobs):
    classifier = small(warm_start=True).fit(*blobs)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)
    classifier.set_params(callbacks=[schedule]).fit(*blobs)
    assert {name: len(values) for name, values in classifier.history_.items()} == {
        "loss": 10,
        "accuracy": 10,
    }


# --- training further ---


def test_warm_start_goes_on_from_the_weights(blobs):
    classifier = small(warm_start=True).fit(*blobs)
    first_loss = classifier.history_["loss"][0]
    classifier.fit(*blobs)
    assert classifier.n_iter_ == 10
    assert classifier.history_["loss"][5] < first_loss / 2


def test_warm_start_takes_a_new_learning_rate(blobs):
    classifier = small(warm_start=True).fit(*blobs)
    before = weights_of(classifier)
    classifier.set_params(learning_rate=1e-12).fit(*blobs)
    np.testing.assert_allclose(weights_of(classifier), before, atol=1e-7)


def test_warm_start_refuses_other_classes(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"warm_start can only be used where `y` has the same"):
        small(warm_start=True).fit(X, y).fit(X, y + 1)


def test_fit_begins_anew_without_warm_start(blobs):
    classifier = small().fit(*blobs)
    before = weights_of(classifier)
    np.testing.assert_array_equal(weights_of(classifier.fit(*blobs)), before)
    assert classifier.n_iter_ == 5


def test_partial_fit_is_an_epoch_of_fit_where_nothing_is_shuffled(blobs):
    X, y = blobs
    whole = small(shuffle=False).fit(X, y)
    parts = small(shuffle=False)
    for _ in range(5):
        parts.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(weights_of(parts), weights_of(whole))
    assert parts.n_iter_ == 5


def test_partial_fit_takes_chunks_that_lack_a_class(blobs):
    X, y = blobs
    classifier = small()
    for _ in range(30):
        for label in (0, 1):
            classifier.partial_fit(X[y == label], y[y == label], classes=[0, 1])
    assert classifier.predict_proba(X).shape == (40, 2)


def test_partial_fit_draws_another_order_each_time(blobs):
    X, y = blobs
    once = small(epochs=1, batch_size=4).fit(X, y)
    again = copy.deepcopy(once)
    once.partial_fit(X, y)
    again.set_params(shuffle=False).partial_fit(X, y)
    assert not np.array_equal(weights_of(once), weights_of(again))


def test_partial_fit_takes_weights_as_they_are(blobs):
    X, y = blobs
    heavy = small().partial_fit(X, y, classes=[0, 1])
    light = copy.deepcopy(heavy)
    heavy.partial_fit(X, y, sample_weight=np.ones(len(y)))
    light.partial_fit(X, y, sample_weight=np.full(len(y), 1e-6))
    assert light.history_["loss"][1] < heavy.history_["loss"][1] / 1e5
    assert not np.array_equal(weights_of(heavy), weights_of(light))


@pytest.mark.parametrize(
    ("second_call", "message"),
    [
        ({"classes": [0, 1, 2]}, r"is not the same as on last call to partial_fit"),
        ({"y": np.full(40, 9)}, r"`y` has labels \[9\] that are not in `classes`"),
    ],
)
def test_partial_fit_refuses_what_does_not_go_on(blobs, second_call, message):
    X, y = blobs
    classifier = small().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(X, **({"y": y} | second_call))


def test_partial_fit_needs_classes_first(blobs):
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        small().partial_fit(*blobs)


def test_partial_fit_refuses_balanced_weights(blobs):
    with pytest.raises(ValueError, match="class_weight='balanced' is not supported"):
        small(class_weight="balanced").partial_fit(*blobs, classes=[0, 1])


def test_partial_fit_takes_a_new_learning_rate(blobs):
    classifier = small().fit(*blobs)
    before = weights_of(classifier)
    classifier.set_params(learning_rate=1e-12).partial_fit(*blobs)
    np.testing.assert_allclose(weights_of(classifier), before, atol=1e-7)


# --- weights ---


def test_class_weight_is_sample_weight_by_class(blobs):
    X, y = blobs
    by_class = small(class_weight={0: 3.0, 1: 0.5}).fit(X, y)
    by_sample = small().fit(X, y, sample_weight=np.where(y == 0, 3.0, 0.5))
    np.testing.assert_array_equal(weights_of(by_class), weights_of(by_sample))


def test_class_weight_multiplies_sample_weight(blobs):
    X, y = blobs
    weights = np.linspace(1, 2, len(y))
    both = small(class_weight={0: 2.0}).fit(X, y, sample_weight=weights)
    product = small().fit(X, y, sample_weight=weights * np.where(y == 0, 2.0, 1.0))
    np.testing.assert_array_equal(weights_of(both), weights_of(product))


def test_balanced_classes_weigh_the_same(blobs):
    X, y = blobs
    X, y = X[:30], y[:30]  # 20 and 10
    balanced = small(class_weight="balanced").fit(X, y)
    by_hand = small(class_weight={0: 0.75, 1: 1.5}).fit(X, y)
    np.testing.assert_array_equal(weights_of(balanced), weights_of(by_hand))


def test_only_ratios_of_weights_count(blobs):
    X, y = blobs
    weights = np.linspace(1, 2, len(y))
    once, thousandfold = (small().fit(X, y, sample_weight=k * weights) for k in (1, 1024))
    np.testing.assert_array_equal(weights_of(once), weights_of(thousandfold))


def test_batch_of_light_samples_stays_light(blobs):
    X, y = blobs
    weights = np.where(y == 0, 1, 1e-9)  # in order, so that half of the batches are of class 1
    classifier = small(shuffle=False, batch_size=10).fit(X, y, sample_weight=weights)
    assert (classifier.predict(X) == 0).all()


def test_negative_class_weight_is_refused(blobs):
    with pytest.raises(ValueError, match="Negative values"):
        small(class_weight={0: -1.0}).fit(*blobs)


# --- a seed means what it says, and nothing is left behind ---


def test_equal_random_states_give_equal_weights(blobs):
    X, y = blobs
    params = {"dropout": 0.3, "batch_size": 8}
    first = small(**params).fit(X, y)
    keras.utils.set_random_seed(7)  # nobody's seed but its own counts
    second = small(**params).fit(X, y)
    np.testing.assert_array_equal(weights_of(first), weights_of(second))
    third = small(**params, random_state=1).fit(X, y)
    assert not np.array_equal(weights_of(first), weights_of(third))


def test_random_state_rules_the_order_alone_too(blobs):
    X, y = blobs
    shuffled = small(batch_size=4).fit(X, y)
    in_order = small(batch_size=4, shuffle=False).fit(X, y)
    assert not np.array_equal(weights_of(shuffled), weights_of(in_order))


def test_other_random_states_are_left_as_they_were(blobs):
    def drawn_next():
        seeds = keras.random.uniform((2,)), tf.random.uniform((2,))
        return random.random(), np.random.random(), *(np.asarray(s).tolist() for s in seeds)  # noqa: NPY002

    def after(action):
        keras.utils.set_random_seed(7)
        action()
        return drawn_next()

    def fit():
        small(dropout=0.5).fit(*blobs).predict(blobs[0])

    assert after(fit) == after(lambda: None)


def test_determinism_of_tensorflow_stays_off(blobs):
    small().fit(*blobs)
    tf.random.uniform((1,))  # would raise where ops must be deterministic and have no seed
    tf.nn.dropout(tf.ones((2,)), 0.5)


def test_arrays_of_the_caller_are_never_written_to(blobs):
    X, y = (array.copy() for array in blobs)
    weights = np.ones(len(y))
    before = [array.copy() for array in (X, y, weights)]
    for array in (X, y, weights):
        array.flags.writeable = False
    classifier = small(class_weight="balanced").fit(X, y, sample_weight=weights)
    classifier.predict_proba(X)
    for array, copied in zip((X, y, weights), before, strict=True):
        np.testing.assert_array_equal(array, copied)


# --- networks of one's own ---


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
    ("network", "told"),
    [(None, "Got None instead"), (build_dense_network((4,), 5), r"Got \(None, 5\) instead")],
)
def test_network_that_gives_no_probability_for_each_class_is_refused(blobs, network, told):
    classifier = Careless()
    classifier.network = network
    message = rf"Careless.build_network must return a keras.Model .* \(None, 2\).* {told}"
    with pytest.raises(ValueError, match=message):
        classifier.fit(*blobs)


def test_network_without_softmax_is_refused(blobs):
    inputs = keras.Input((4,))
    classifier = Careless()
    classifier.network = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match=r"ends in probabilities, by a softmax. Its .* 0 instead"):
        classifier.fit(*blobs)


def test_base_class_has_no_network():
    with pytest.raises(TypeError, match="build_network"):
        NetworkClassifier()


# --- bad input ---


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": (0,)}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"hidden_layer_sizes": 8}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"hidden_layer_sizes": (2.5,)}, r"'hidden_layer_sizes' parameter of DenseClassifier"),
        ({"epochs": 0}, r"'epochs' parameter .* int in the range \[1, inf\). Got 0"),
        ({"learning_rate": -1}, r"'learning_rate' parameter .* Got -1"),
        ({"batch_size": 0}, r"'batch_size' parameter .* Got 0"),
        ({"dropout": 1.5}, r"'dropout' parameter .* float in the range \[0.0, 1.0\). Got 1.5"),
        ({"activation": "relux"}, r"'activation' parameter .* Got 'relux'"),
        ({"class_weight": "even"}, r"'class_weight' parameter .* Got 'even'"),
        ({"random_state": -1}, r"'random_state' parameter .* Got -1"),
        ({"callbacks": "log"}, r"'callbacks' parameter .* Got 'log'"),
        ({"callbacks": ["log"]}, r"'callbacks' parameter .* Got \['log'\]"),
    ],
)
def test_invalid_parameters_are_told_in_fit(blobs, params, message):
    with pytest.raises(ValueError, match=message) as raised:
        small(**params).fit(*blobs)
    assert type(raised.value).__name__ == "InvalidParameterError"


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(4), "Expected 2D array, got 1D array"),
        (np.zeros((0, 4)), "0 sample"),
        (np.zeros((4, 0, 2)), "0 feature"),
        ([[np.nan, 1.0]] * 4, "contains NaN"),
        ([[np.inf, 1.0]] * 4, "contains infinity"),
        ([["a", "b"]] * 4, "could not convert string to float"),
    ],
)
def test_samples_that_are_no_numbers_in_rows_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        small().fit(X, [0, 1, 0, 1][: len(X)])


def test_sparse_samples_are_refused(blobs):
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match="Sparse data was passed"):
        small().fit(csr_array(blobs[0]), blobs[1])


@pytest.mark.parametrize("n_features", [3, 5])
def test_another_number_of_features_than_in_fit_is_refused(blobs, n_features):
    classifier = small().fit(*blobs)
    with pytest.raises(ValueError, match=f"X has {n_features} features, but .* expecting 4"):
        classifier.predict(np.ones((2, n_features)))


def test_pictures_of_another_shape_than_in_fit_are_refused(blobs):
    X, y = blobs
    classifier = small().fit(X.reshape(-1, 2, 2), y)
    with pytest.raises(ValueError, match=r"samples of shape \(2, 3\).*\(2, 2\)"):
        classifier.predict(np.ones((1, 2, 3)))


def test_prediction_before_fit_is_refused(blobs):
    for method in (small().predict, small().predict_proba):
        with pytest.raises(NotFittedError):
            method(blobs[0])


def test_prediction_after_a_fit_that_failed_is_refused(blobs):
    class Failure(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    classifier = small(callbacks=[Failure()])
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*blobs)
    with pytest.raises(NotFittedError):
        classifier.predict(blobs[0])


def test_training_further_that_failed_leaves_no_fitted_estimator(blobs):
    classifier = small().fit(*blobs)
    with pytest.raises(ValueError, match="loss became"):
        classifier.set_params(learning_rate=1e38).partial_fit(blobs[0] * 1e6, blobs[1])
    with pytest.raises(NotFittedError):
        classifier.predict(blobs[0])


def test_loss_that_is_no_number_is_told(blobs):
    X, y = blobs
    with pytest.raises(
        ValueError, match=r"loss became nan in epoch [12] with learning_rate=1e\+30.* Lower"
    ):
        small(learning_rate=1e30, activation="linear").fit(X * 1e6, y)


def test_network_too_large_for_memory_is_told(blobs):
    with pytest.raises(MemoryError, match="do not fit into memory"):
        small(hidden_layer_sizes=(1000, 2**31 - 1)).fit(*blobs)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(40), "contains only one class: "),
        (np.linspace(0, 1, 40), "Unknown label type: continuous"),
        (np.zeros(41), "inconsistent numbers of samples"),
    ],
)
def test_labels_that_do_not_fit_are_refused(blobs, y, message):
    with pytest.raises(ValueError, match=message):
        small().fit(blobs[0], y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [(np.zeros(40), "zero"), (np.full(40, -1.0), "Negative values"), (np.ones(39), "shape")],
)
def test_weights_that_do_not_fit_are_refused(blobs, weights, message):
    with pytest.raises(ValueError, match=message):
        small().fit(*blobs, sample_weight=weights)
