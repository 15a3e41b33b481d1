"""Parameters of all kinds, drawn by Hypothesis: wrong ones are named, right ones survive."""

import copy
import math
import re
from functools import cache
from numbers import Integral, Real

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skcifar import ConvolutionalClassifier, DenseClassifier, PixelScaler, WhiteningClassifier
from skcifar._sklearn.validation import Interval, InvalidParameterError, Options, StrOptions
from skcifar.networks import ACTIVATIONS

ESTIMATORS = [DenseClassifier, ConvolutionalClassifier, WhiteningClassifier, PixelScaler]
CASES = [(cls, name) for cls in ESTIMATORS for name in cls._parameter_constraints]

PICTURES = np.random.default_rng(0).random((12, 4, 4, 1), dtype=np.float32)
LABELS = np.arange(12) % 2

settings.register_profile("skcifar", derandomize=True, deadline=None, database=None)
settings.load_profile("skcifar")

sizes = st.integers(1, 5)
shares = st.floats(0, 0.9)
RIGHT = {
    "hidden_layer_sizes": st.lists(sizes, max_size=2),
    "filters": st.lists(sizes, min_size=1, max_size=2),
    "strides": st.just([1]),  # as many as filters
    "kernel_size": st.integers(1, 3),
    "activation": st.sampled_from(sorted(ACTIVATIONS)),
    "batch_normalization": st.booleans() | st.booleans().map(np.bool_),
    "dropout": shares,
    "horizontal_flip": st.booleans() | st.just("alternate"),
    "n_convolutions": st.integers(1, 3),
    "n_views": st.sampled_from([1, 2, 6]),
    "max_shift": shares,
    "max_rotation": st.floats(0, 180),
    "cutout": shares,
    "optimizer": st.sampled_from(["adam", "sgd", "muon"]),
    "learning_rate": st.just("auto")
    | st.floats(1e-6, 1e-2)
    | st.floats(2**-10, 2**-7, width=32).map(np.float32),
    "learning_rate_schedule": st.sampled_from(
        ["auto", "constant", "linear", "cosine", "one-cycle"]
    ),
    "weight_decay": st.floats(0, 0.1),
    "label_smoothing": shares,
    "batch_size": st.just("auto") | sizes | sizes.map(np.int64),
    "epochs": st.integers(1, 2) | st.floats(0.1, 2.5),
    "shuffle": st.booleans(),
    "early_stopping": st.booleans(),
    "validation_fraction": st.none() | st.floats(0.3, 0.6),
    "n_iter_no_change": sizes,
    "tol": shares,
    "class_weight": st.none() | st.just("balanced") | st.just({0: 1, 1: 2.5}),
    "warm_start": st.booleans(),
    "random_state": st.none() | st.integers(0, 2**32 - 1),
    "verbose": st.sampled_from([0, False]),
    "callbacks": st.none() | st.just([]),
    "max_minutes": st.none(),  # a clock has tests of its own
    "schedule_moves": st.none() | st.just([[0, 4], [2, 3]]),
    "checkpoint": st.none(),  # files have tests of their own
    "lazy": st.booleans(),
    "max_value": st.floats(0.1, 1e6) | st.integers(1, 255),
}


class Something:
    """No parameter of anything."""


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.complex_numbers(),
    st.builds(Something),
    st.lists(st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
wrong_sequences = st.lists(
    st.integers(max_value=0) | st.floats() | st.booleans() | st.text(max_size=3) | st.none(),
    min_size=1,
    max_size=3,
).flatmap(lambda wrong: st.lists(sizes, max_size=2).map(lambda right: right + wrong))


def allows(constraint, value):
    """Whether a constraint allows a value, by what scikit-learn says that its words mean."""
    if isinstance(constraint, Interval):
        if not isinstance(value, constraint.type) or (isinstance(value, Real) and value != value):
            return False
        low = -math.inf if constraint.left is None else constraint.left
        high = math.inf if constraint.right is None else constraint.right
        above = value >= low if constraint.closed in {"left", "both"} else value > low
        below = value <= high if constraint.closed in {"right", "both"} else value < high
        return above and below
    if isinstance(constraint, Options):
        return isinstance(value, constraint.type) and value in constraint.options
    if isinstance(constraint, type):
        return isinstance(value, constraint)
    return {
        None: lambda: value is None,
        "array-like": lambda: isinstance(value, list | dict),  # of which more below
        "boolean": lambda: isinstance(value, bool),
        "random_state": lambda: (
            value is None or (isinstance(value, Integral) and 0 <= value < 2**32)
        ),
        "verbose": lambda: isinstance(value, Integral) and value >= 0,
    }[constraint]()


def wrong_values(cls, name):
    """Values that a parameter may not have, as many near its limits as far from them."""
    constraints = cls._parameter_constraints[name]
    near = []
    for constraint in constraints:
        if isinstance(constraint, Interval):
            limits = [limit for limit in (constraint.left, constraint.right) if limit is not None]
            near += [st.sampled_from([*limits, *(f + d for f in limits for d in (-1, 1, -1e-9))])]
        if isinstance(constraint, StrOptions):
            near += [st.sampled_from(sorted(constraint.options)).map(str.upper)]
    wrong = st.one_of(anything, *near).filter(lambda v: not any(allows(c, v) for c in constraints))
    if "array-like" in constraints:
        wrong |= wrong_sequences
    if name == "callbacks":
        wrong |= st.lists(anything, min_size=1, max_size=2)
    return wrong


def right_params(cls):
    params = {name: RIGHT[name] for name in cls._parameter_constraints}
    if cls is ConvolutionalClassifier:
        params["filters"] = st.lists(sizes, min_size=1, max_size=1)
    return st.fixed_dictionaries(params)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_each_parameter_has_a_rule_and_a_paragraph(cls):
    names = cls().get_params().keys()
    assert names == cls._parameter_constraints.keys()
    assert names - set(re.findall(r"(?m)^ *(\w+) : ", cls.__doc__)) == set()


@pytest.mark.parametrize(("cls", "name"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_wrong_value_is_reported_by_the_parameters_name_before_anything_happens(cls, name):
    @settings(max_examples=25)
    @given(wrong_values(cls, name))
    def check(value):
        estimator = cls(**{name: value})
        before = dict(vars(estimator))
        with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of {cls.__name__}"):
            estimator.fit(PICTURES, LABELS)
        assert vars(estimator) == before

    check()


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_right_values_survive_all_round_trips(cls):
    @settings(max_examples=25)
    @given(right_params(cls))
    def check(params):
        estimator = cls(**params)
        for same in (estimator, cls().set_params(**params), clone(estimator), copy.copy(estimator)):
            assert same.get_params() == params
        shown = repr(estimator)
        assert shown.startswith(cls.__name__)
        assert repr(clone(estimator)) == shown

    check()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "max_examples"),
    [
        (DenseClassifier, 3),
        (ConvolutionalClassifier, 2),
        (WhiteningClassifier, 2),
        (PixelScaler, 20),
    ],
)
def test_right_values_work(cls, max_examples):
    @settings(max_examples=max_examples)
    @given(right_params(cls))
    def check(params):
        estimator = cls(**params).fit(PICTURES, LABELS)
        if cls is PixelScaler:
            assert np.isfinite(estimator.transform(PICTURES)).all()
            return
        assert np.isfinite(estimator.predict_proba(PICTURES)).all()
        assert 1 <= estimator.n_iter_ <= math.ceil(params["epochs"])
        assert estimator.get_params() == params

    check()


@settings(max_examples=20)
@given(st.data())
def test_wrong_value_leaves_a_fitted_estimator_as_it_was(data):
    name = data.draw(st.sampled_from(sorted(DenseClassifier._parameter_constraints)))
    value = data.draw(wrong_values(DenseClassifier, name))
    fitted = fitted_once()
    before = dict(vars(fitted))
    answers = fitted.predict_proba(PICTURES)
    was = getattr(fitted, name)
    fitted.set_params(**{name: value})
    for train in (fitted.fit, fitted.partial_fit):
        with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
            train(PICTURES, LABELS)
    fitted.set_params(**{name: was})
    assert vars(fitted) == before
    np.testing.assert_array_equal(fitted.predict_proba(PICTURES), answers)


@cache
def fitted_once():
    params = {"hidden_layer_sizes": (3,), "epochs": 1, "random_state": 0}
    return DenseClassifier(**params).fit(PICTURES, LABELS)
