import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skcifar import (
    ConvolutionalClassifier,
    DenseClassifier,
    accuracy_interval,
    compare_classifiers,
    load_digit_images,
    log_loss_interval,
    make_dense_pipeline,
    mcnemar_test,
)


@pytest.fixture(scope="module")
def classifiers(blobs):
    return {
        "guess": DummyClassifier(strategy="prior").fit(*blobs),
        "line": LogisticRegression().fit(*blobs),
        "network": DenseClassifier(epochs=2, hidden_layer_sizes=(5,), random_state=0).fit(*blobs),
    }


@pytest.fixture(scope="module")
def comparison(classifiers, blobs):
    X, y = blobs
    return compare_classifiers(classifiers, X[::2], y[::2], X_train=X, y_train=y)


def predictions_with(n_both, n_first, n_second, n_none):
    """Actual classes and two predictions of them, by who is right how often."""
    counts = (n_both, n_first, n_second, n_none)
    first = np.repeat([0, 0, 1, 1], counts)
    second = np.repeat([0, 1, 0, 1], counts)
    return np.zeros(sum(counts), int), first, second


# --- McNemar's test ---


def test_mcnemar_counts_only_samples_that_one_is_right_about():
    test = mcnemar_test(*predictions_with(50, 7, 2, 30))
    assert (test.n_only_first_right, test.n_only_second_right) == (7, 2)


@pytest.mark.parametrize(
    ("n_first", "n_second", "pvalue"),
    [
        # twice the chance that of n fair coins so few show the rarer side, by hand
        (5, 0, 2 / 2**5),
        (1, 9, 2 * (1 + 10) / 2**10),
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
        (4, 6, 2 * (1 + 10 + 45 + 120 + 210) / 2**10),
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_is_exact(n_first, n_second, pvalue):
    test = mcnemar_test(*predictions_with(20, n_first, n_second, 5))
    assert test.pvalue == pytest.approx(pvalue, rel=1e-12)


def test_mcnemar_agrees_with_a_published_table():
    # approval of a minister by the same 1600 people in two surveys, from Agresti's Categorical
    # Data Analysis: 150 changed their mind to the one side, 86 to the other
    test = mcnemar_test(*predictions_with(794, 150, 86, 570))
    by_definition = 2 * sum(math.comb(236, number) for number in range(87)) / 2**236
    assert test.pvalue == pytest.approx(by_definition, rel=1e-9)


def test_mcnemar_of_the_same_predictions_finds_nothing():
    y_true, first, _ = predictions_with(3, 4, 0, 2)
    assert mcnemar_test(y_true, first, first).pvalue == 1.0


def test_mcnemar_does_not_depend_on_the_order_of_the_two():
    y_true, first, second = predictions_with(10, 3, 12, 4)
    assert mcnemar_test(y_true, first, second).pvalue == mcnemar_test(y_true, second, first).pvalue


@pytest.mark.slow
def test_mcnemar_rarely_finds_what_is_not_there():
    rng = np.random.default_rng(0)
    y_true = np.zeros(200, int)
    pvalues = np.array(
        [
            mcnemar_test(y_true, rng.random(200) < 0.3, rng.random(200) < 0.3).pvalue
            for _ in range(400)
        ]
    )
    assert 0 < np.mean(pvalues < 0.05) <= 0.06


def test_mcnemar_takes_names_of_classes():
    test = mcnemar_test(["a", "b", "c"], ["a", "b", "a"], ["a", "a", "a"])
    assert (test.n_only_first_right, test.n_only_second_right, test.pvalue) == (1, 0, 1.0)


def test_mcnemar_needs_as_many_predictions_as_samples():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mcnemar_test([0, 1], [0, 1], [0])


# --- intervals ---


def accuracies(n_right, n):
    return np.zeros(n, int), np.repeat([0, 1], [n_right, n - n_right])


@pytest.mark.parametrize(("n_right", "n"), [(0, 10), (10, 10), (4923, 10000), (1, 1)])
def test_accuracy_interval_is_wilsons(n_right, n):
    z = 1.959963984540054
    share = n_right / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    expected = middle - reach, middle + reach
    assert accuracy_interval(*accuracies(n_right, n)) == pytest.approx(expected, abs=1e-12)


def test_accuracy_interval_stays_within_0_and_1():
    assert accuracy_interval(*accuracies(0, 5))[0] == 0
    assert accuracy_interval(*accuracies(5, 5))[1] == 1


def test_more_confidence_makes_an_interval_wider():
    low, high = accuracy_interval(*accuracies(30, 50), confidence_level=0.99)
    inner_low, inner_high = accuracy_interval(*accuracies(30, 50))
    assert low < inner_low < 0.6 < inner_high < high


def test_accuracy_interval_mostly_holds_the_truth():
    n, truth = 100, 0.7
    intervals = [accuracy_interval(*accuracies(n_right, n)) for n_right in range(n + 1)]
    probabilities = binom.pmf(range(n + 1), n, truth)
    held = [low <= truth <= high for low, high in intervals]
    assert 0.93 < probabilities[held].sum() < 0.97


@pytest.mark.slow
def test_log_loss_interval_mostly_holds_the_truth():
    rng = np.random.default_rng(0)
    truth = 1.0  # the mean of -log of a uniform number
    n_held = 0
    for _ in range(300):
        p = rng.random(200)
        y_proba = np.column_stack([p, 1 - p])
        low, high = log_loss_interval(np.zeros(200, int), y_proba, labels=[0, 1])
        n_held += low <= truth <= high
    assert 0.91 < n_held / 300 < 0.98


def test_log_loss_interval_is_around_the_loss_of_scikit_learn(classifiers, blobs):
    X, y = blobs
    y_proba = classifiers["line"].predict_proba(X)
    low, high = log_loss_interval(y, y_proba, labels=[0, 1], confidence_level=0.3)
    assert (low + high) / 2 == pytest.approx(log_loss(y, y_proba))


def test_log_loss_interval_bears_probabilities_of_zero():
    low, high = log_loss_interval([0, 1, 1], [[0.0, 1.0], [0.5, 0.5], [0.1, 0.9]], labels=[0, 1])
    assert low == 0
    assert math.isfinite(high)


def test_loss_of_one_sample_says_nothing():
    assert log_loss_interval([1], [[0.2, 0.8]], labels=[0, 1]) == (0, math.inf)


# --- comparisons ---


def test_comparison_scores_as_scikit_learn_does(comparison, classifiers, blobs):
    X, y = blobs
    for model in comparison.models:
        classifier = classifiers[model["name"]]
        for part, X_part, y_part in (("train", X, y), ("test", X[::2], y[::2])):
            y_pred, y_proba = classifier.predict(X_part), classifier.predict_proba(X_part)
            assert model[f"{part}_accuracy"] == accuracy_score(y_part, y_pred)
            assert model[f"{part}_loss"] == pytest.approx(log_loss(y_part, y_proba))


@pytest.mark.parametrize("measure", ["train_loss", "train_accuracy", "test_loss", "test_accuracy"])
def test_values_lie_within_their_intervals(comparison, measure):
    for model in comparison.models:
        low, high = model[f"{measure}_interval"]
        assert low <= model[measure] <= high


def test_only_networks_have_parameters_and_epochs(comparison):
    counts = {
        model["name"]: (model["n_parameters"], model["epochs"]) for model in comparison.models
    }
    assert counts == {
        "guess": (None, None),
        "line": (None, None),
        "network": (4 * 5 + 5 + 5 * 2 + 2, 2),
    }


def test_network_at_the_end_of_a_pipeline_is_found():
    X, y = load_digit_images(subset="test", return_X_y=True)
    pipeline = make_dense_pipeline(hidden_layer_sizes=(), epochs=1).fit(X[:50], y[:50])
    (model,) = compare_classifiers({"pipeline": pipeline}, X[:50], y[:50]).models
    assert model["n_parameters"] == 3072 * 10 + 10


def test_comparison_holds_predictions_and_a_test_for_each_pair(comparison, classifiers, blobs):
    X, y = blobs[0][::2], blobs[1][::2]
    for name, classifier in classifiers.items():
        np.testing.assert_array_equal(comparison.predictions[name], classifier.predict(X))
    pairs = [("guess", "line"), ("guess", "network"), ("line", "network")]
    assert [tuple(test.models) for test in comparison.tests] == pairs
    first, second = (comparison.predictions[name] == y for name in pairs[0])
    assert comparison.tests[0].n_only_first_right == sum(first & ~second)
    assert comparison.tests[0].n_only_second_right == sum(~first & second)


def test_without_training_samples_nothing_is_reported_of_them(classifiers, blobs):
    (model,) = compare_classifiers({"line": classifiers["line"]}, *blobs).models
    assert not [name for name in model if name.startswith("train")]


def test_comparison_becomes_a_table_of_pandas(comparison):
    table = pd.DataFrame(comparison.models).set_index("name")
    assert table.loc["line", "test_accuracy"] == comparison.models[1]["test_accuracy"]
    assert (table["predict_seconds"] > 0).all()


def test_classes_of_every_kind_are_compared():
    X = np.arange(6.0)[:, None]
    for y in (["b", "a"] * 3, [True, False] * 3, np.array(["b", "a"] * 3, dtype=object)):
        (model,) = compare_classifiers({"tree": DecisionTreeClassifier().fit(X, y)}, X, y).models
        assert model["test_accuracy"] == 1


def test_classifier_of_more_classes_than_the_test_samples_have_is_compared():
    tree = DecisionTreeClassifier().fit([[0], [1], [2]], ["a", "b", "c"])
    (model,) = compare_classifiers({"tree": tree}, [[0], [2]], ["a", "c"]).models
    assert model["test_accuracy"] == 1


def test_confidence_level_is_that_of_the_intervals(classifiers, blobs):
    X, y = blobs
    (model,) = compare_classifiers(
        {"guess": classifiers["guess"]}, X, y, confidence_level=0.5
    ).models
    expected = binomtest(20, 40).proportion_ci(0.5, method="wilson")
    assert model["test_accuracy_interval"] == pytest.approx(tuple(expected))


# --- mistakes ---


def test_classifier_of_other_classes_is_named(classifiers, blobs):
    X, _ = blobs
    message = r"line was trained on the classes 0, 1, but y has cat, dog\. Give classifiers"
    with pytest.raises(ValueError, match=message):
        compare_classifiers({"line": classifiers["line"]}, X[:2], ["cat", "dog"])


def test_training_classes_are_checked_too(classifiers, blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"but y has 0, 1, 2\."):
        compare_classifiers({"line": classifiers["line"]}, X, y, X_train=X[:3], y_train=[0, 1, 2])


def test_classifier_without_probabilities_is_named(blobs):
    with pytest.raises(TypeError, match="margin is a LinearSVC without predict_proba"):
        compare_classifiers({"margin": LinearSVC().fit(*blobs)}, *blobs)


def test_classifier_that_is_not_fitted_is_reported(blobs):
    with pytest.raises(NotFittedError):
        compare_classifiers({"line": LogisticRegression()}, *blobs)


def test_nothing_to_compare_is_reported(blobs):
    with pytest.raises(ValueError, match="Give at least one classifier"):
        compare_classifiers({}, *blobs)


def test_training_samples_need_their_classes(classifiers, blobs):
    with pytest.raises(ValueError, match="X_train and y_train go together"):
        compare_classifiers(classifiers, *blobs, X_train=blobs[0])


def test_accuracy_is_of_what_the_classifier_predicts(blobs):
    X, y = blobs
    never = FixedThresholdClassifier(LogisticRegression(), threshold=1.0).fit(X, y)
    comparison = compare_classifiers({"never": never}, X, y)
    assert comparison.models[0]["test_accuracy"] == never.score(X, y) == 0.5
    np.testing.assert_array_equal(comparison.predictions["never"], never.predict(X))


def test_names_and_numbers_are_not_compared():
    with pytest.raises(ValueError, match="Mix of label input types"):
        mcnemar_test(["cat", "dog"], [0, 1], [0, 1])
    with pytest.raises(ValueError, match="Mix of label input types"):
        accuracy_interval(["cat", "dog"], [0, 1])


@pytest.mark.parametrize("level", [0, 1, 95])
def test_confidence_level_is_a_share(level):
    with pytest.raises(ValueError, match=rf"'confidence_level' parameter .* Got {level}"):
        accuracy_interval([0, 1], [0, 1], confidence_level=level)


def test_loss_of_sure_and_right_predictions_given_as_ints_is_0():
    assert log_loss_interval([0, 1], [[1, 0], [0, 1]], labels=[0, 1]) == pytest.approx((0, 0))


def test_column_of_labels_is_taken_as_labels_with_a_warning(classifiers, blobs):
    X, y = blobs
    as_row = compare_classifiers(classifiers, X, y)
    with pytest.warns(DataConversionWarning):
        as_column = compare_classifiers(classifiers, X, np.asarray(y)[:, None])
    for one, other in zip(as_row.models, as_column.models, strict=True):
        assert one["test_accuracy"] == other["test_accuracy"]


def test_training_pictures_are_looked_at_once():
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 8, 8, 1), np.float32), np.arange(40) % 2
    params = {"filters": (4,), "strides": (2,), "hidden_layer_sizes": (), "epochs": 1}
    network = ConvolutionalClassifier(**params, n_views=6, random_state=0).fit(X, y)
    (measured,) = compare_classifiers({"network": network}, X, y, X_train=X, y_train=y).models
    assert network.n_views == 6
    assert measured["test_loss"] == pytest.approx(log_loss(y, network.predict_proba(X)))
    network.set_params(n_views=1)
    assert measured["train_loss"] == pytest.approx(log_loss(y, network.predict_proba(X)))
    assert measured["train_loss"] != measured["test_loss"]
