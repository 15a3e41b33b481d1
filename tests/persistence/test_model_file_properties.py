"""What is true of every model file, whatever is in it."""

import copy
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from parts_files import file_of, put_together, read_file, take_apart

from skcifar import DenseClassifier, load_model, make_dense_pipeline, save_model
from skcifar.files._parts import FORMAT, ModelFileError, decode, encode, opened_parts, write_parts

examples = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
few_examples = settings(examples, max_examples=25)  # of what builds networks

# --- values ---

integers = st.integers(-(2**63), 2**64 - 1)
keys = st.text(max_size=5) | st.integers(1 - 2**60, 2**60 - 1) | st.booleans()
texts = arrays_of.arrays(arrays_of.unicode_string_dtypes(max_len=6), st.integers(0, 3))
objects = st.lists(st.text(max_size=4) | integers | st.booleans(), max_size=4).map(
    lambda values: np.array(values, dtype=object)
)
numbers = arrays_of.arrays(
    arrays_of.boolean_dtypes()
    | arrays_of.integer_dtypes()
    | arrays_of.unsigned_integer_dtypes()
    | arrays_of.floating_dtypes(),
    arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
values = st.recursive(
    st.none() | st.booleans() | integers | st.floats() | st.text(max_size=5)
    | numbers | texts | objects,
    lambda inner: st.lists(inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def assert_same(a, b):
    """NaN is like NaN, 1 is not like True, and only the order of bytes may differ."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype.newbyteorder("=")
        assert a.shape == b.shape
        assert_same(a.ravel().tolist(), b.ravel().tolist())
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    elif isinstance(a, dict):
        assert_same(list(a.items()), list(b.items()))
    else:
        assert repr(a) == repr(b)


@pytest.mark.slow
@examples
@given(values)
def test_every_value_is_the_same_when_read(tmp_path, value):
    described = {}
    encoded = encode(value, "value", described)
    path = tmp_path / "file"
    write_parts(path, {"format": FORMAT, "kind": "model", "value": encoded}, described)
    with opened_parts(path, kind="model") as parts:
        assert_same(decode(parts.description["value"], parts), value)
        assert not parts.unread


json_values = st.recursive(
    st.none() | st.booleans() | integers | st.floats() | st.text(max_size=5)
    | st.sampled_from(["a", "<U1", "|O", "<U99999999"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["tuple", "dict", "array", "values", "dtype", "x"]), inner, max_size=2
    ),
    max_leaves=8,
)  # fmt: skip


@examples
@given(json_values)
def test_every_json_is_a_value_or_is_refused(tmp_path, value):
    path = tmp_path / "file"
    path.write_bytes(file_of({"format": FORMAT, "kind": "model"}, {"a": np.ones(2)}))
    refused = None
    try:
        with opened_parts(path, kind="model") as parts:
            decoded = decode(value, parts)
    except ModelFileError as error:
        refused = error
    if refused is None:
        encode(decoded, "value", {})
    else:
        assert str(refused).startswith(f"{path} ")


# --- files ---


@pytest.fixture(scope="module")
def classifier(blobs):
    return DenseClassifier(hidden_layer_sizes=(3,), epochs=1, random_state=0).fit(*blobs)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    images = np.zeros((12, 2, 2, 3), np.uint8)
    pipeline = make_dense_pipeline(hidden_layer_sizes=(3, 2), epochs=1, random_state=0)
    path = tmp_path_factory.mktemp("good") / "model"
    save_model(pipeline.fit(images, ["cat", "dog", "frog"] * 4), path)
    return path.read_bytes()


def load_or_refuse(path):
    """Load a file, and see that it predicts, or that it is refused in our words."""
    refused = None
    try:
        pipeline = load_model(path)
    except ModelFileError as error:
        refused = str(error)
    if refused is None:
        classifier = pipeline if isinstance(pipeline, DenseClassifier) else pipeline[-1]
        samples = np.zeros((2, *classifier.sample_shape_))
        assert classifier.predict_proba(samples).shape == (2, len(classifier.classes_))
    else:
        assert refused.startswith(f"{path} ")
        assert refused.isprintable()
        assert len(refused) < 1000 + len(str(path))


@examples
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "file")


@examples
@given(st.binary(max_size=100), st.binary(max_size=100))
def test_any_header_is_refused(tmp_path, header, data):
    (tmp_path / "file").write_bytes(put_together(header, data))
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "file")


@examples
@given(st.data())
def test_bytes_put_anywhere_in_a_file_are_noticed(tmp_path, content, data):
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, min(len(content), begin + 8)))
    changed = content[:begin] + data.draw(st.binary(max_size=8)) + content[end:]
    (tmp_path / "file").write_bytes(changed)
    if changed == content:
        load_model(tmp_path / "file")
    else:
        with pytest.raises(ModelFileError):
            load_model(tmp_path / "file")


def places(value):
    """Every list and dict in a description with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


@few_examples
@given(st.data())
def test_description_changed_anywhere_is_refused_or_predicts(tmp_path, content, data):
    path = tmp_path / "model"
    path.write_bytes(content)
    description, arrays = read_file(path)
    container, key = data.draw(st.sampled_from(list(places(description))))
    if data.draw(st.booleans()):
        container[key] = data.draw(json_values)
    else:
        del container[key]
    path.write_bytes(file_of(description, arrays))
    load_or_refuse(path)


@examples
@given(st.data())
def test_header_changed_anywhere_is_refused(tmp_path, content, data):
    header, numbers = take_apart(content)
    changed = json.loads(header)
    container, key = data.draw(st.sampled_from(list(places(changed))))
    container[key] = data.draw(json_values)
    path = tmp_path / "model"
    path.write_bytes(put_together(json.dumps(changed).encode(), numbers))
    if json.dumps(changed) == json.dumps(json.loads(header)):
        load_model(path)
    else:
        with pytest.raises(ModelFileError):
            load_model(path)


# --- parameters ---

parameters = st.fixed_dictionaries(
    {},
    optional={
        "learning_rate": st.floats(1e-6, 10),
        "learning_rate_schedule": st.sampled_from(["constant", "cosine", "one-cycle"]),
        "weight_decay": st.floats(0, 1) | st.just(0),
        "label_smoothing": st.floats(0, 1, exclude_max=True),
        "batch_size": st.integers(1, 2**40),
        "epochs": st.integers(1, 2**40).map(np.int64),
        "shuffle": st.booleans(),
        "early_stopping": st.booleans(),
        "validation_fraction": st.none() | st.floats(0.01, 0.99),
        "tol": st.floats(0, 1).map(np.float32),
        "class_weight": st.none()
        | st.just("balanced")
        | st.dictionaries(st.sampled_from([0, 1]), st.floats(0, 9)),
        "warm_start": st.booleans(),
        "random_state": st.none() | st.integers(0, 2**32 - 1),
        "verbose": st.sampled_from([0, 1, 2, True]),
        "callbacks": st.none() | st.just([]),
        "hidden_layer_sizes": st.sampled_from([(3,), [3], np.array([3])]),
    },
)


@pytest.mark.slow
@few_examples
@given(parameters)
@example({"callbacks": []})
def test_all_parameters_are_the_same_when_read(tmp_path, classifier, params):
    classifier = copy.copy(classifier).set_params(**params)
    save_model(classifier, tmp_path / "model")
    loaded = load_model(tmp_path / "model").get_params()
    for name, value in classifier.get_params().items():
        value = value.item() if isinstance(value, np.generic) else value
        assert_same(loaded[name], value)
