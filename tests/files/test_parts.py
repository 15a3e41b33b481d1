"""Files of parts by themselves, as models and checkpoints use them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from parts_files import file_of, put_together, read_file, take_apart
from safetensors import safe_open

from skcifar.files import _parts
from skcifar.files._parts import (
    FORMAT,
    ModelFileError,
    checksum_of_array,
    decode,
    encode,
    opened_parts,
    shown,
    write_parts,
)

DESCRIPTION = {"format": FORMAT, "kind": "checkpoint"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.safetensors"


def described(path, **arrays):
    path.write_bytes(file_of(DESCRIPTION, arrays))


def opened(path):
    return opened_parts(path, kind="checkpoint")


# --- writing ---


def test_file_is_one_of_safetensors_with_checksums_and_nothing_else(path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_parts(path, DESCRIPTION, {"é": array})
    with safe_open(path, framework="numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("é"), array)
        metadata = file.metadata()
    assert metadata.keys() == {"skcifar", "sha256"}
    checksums = json.loads(metadata["sha256"])
    assert checksums.keys() == {"description", "é"}
    assert all(len(checksum) == 64 for checksum in checksums.values())
    assert "é" in metadata["sha256"]  # not \u00e9, in which a flipped bit would change nothing


def test_checksum_shows_dtype_and_shape_too():
    arrays = [
        np.zeros(4, np.uint8),
        np.zeros((2, 2), np.uint8),
        np.zeros(4, np.int8),
        np.zeros(1, np.float32),
        np.zeros((), np.float32),
        np.zeros((0, 4), np.float32),
    ]
    assert len({checksum_of_array(array) for array in arrays}) == len(arrays)
    expected = hashlib.sha256(b"uint8 (2,)\n\x00\x01").hexdigest()  # as it is in files
    assert checksum_of_array(np.arange(2, dtype=np.uint8)) == expected


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12)[::2],
        np.array(3.5),
        np.zeros((0, 2), np.float16),
        np.array([True, False]),
    ],
)
def test_array_of_any_layout_is_the_same_when_read(path, array):
    write_parts(path, DESCRIPTION, {"a": array})
    with opened(path) as parts:
        read = parts.read("a")
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype.newbyteorder("=")
    assert read.shape == array.shape


@pytest.mark.parametrize("dtype", ["complex64", "longdouble", "M8[s]", "U3", "O"])
def test_array_of_another_dtype_is_not_written(path, dtype):
    with pytest.raises(ModelFileError, match=r"cannot be written: a is of dtype .*uint8"):
        write_parts(path, DESCRIPTION, {"a": np.zeros(1, dtype)})
    assert not path.exists()


@pytest.mark.parametrize(("limit", "value"), [("MOST_HEADER_BYTES", 200), ("MOST_FILE_BYTES", 900)])
def test_what_could_not_be_read_again_is_not_written(path, monkeypatch, limit, value):
    monkeypatch.setattr(_parts, limit, value)
    with pytest.raises(ModelFileError, match=rf"no more than .*{value}.* are read again"):
        write_parts(path, DESCRIPTION, {"a": np.zeros(1000, np.uint8)})
    assert not path.exists()


def test_limits_are_the_same_for_writing_and_reading(path, monkeypatch):
    write_parts(path, DESCRIPTION, {"a": np.zeros(1000, np.uint8)})
    n_bytes = path.stat().st_size
    n_header_bytes = len(take_apart(path.read_bytes())[0])
    monkeypatch.setattr(_parts, "MOST_FILE_BYTES", n_bytes)
    monkeypatch.setattr(_parts, "MOST_HEADER_BYTES", n_header_bytes)
    write_parts(path, DESCRIPTION, {"a": np.zeros(1000, np.uint8)})
    with opened(path) as parts:
        assert parts.names == ["a"]
    for limit, value in (("MOST_FILE_BYTES", n_bytes), ("MOST_HEADER_BYTES", n_header_bytes)):
        monkeypatch.setattr(_parts, limit, value - 1)
        message = "is cut short or is not a checkpoint file"
        with pytest.raises(ModelFileError, match=message), opened(path):
            pass
        monkeypatch.setattr(_parts, limit, value)


def test_limits_are_those_that_are_documented():
    assert _parts.MOST_HEADER_BYTES == 512 * 1024
    assert _parts.MOST_FILE_BYTES == 1024**3
    assert _parts.MOST_DESCRIBED_BYTES == 32 * 1024**2
    assert _parts.MOST_AXES == 32


# --- opening ---


def test_description_and_names_are_read_at_once_and_arrays_later(path):
    write_parts(path, DESCRIPTION | {"more": [1]}, {"b": np.ones(2), "a": np.ones((3, 1), np.int8)})
    with opened(path) as parts:
        assert parts.description == DESCRIPTION | {"more": [1]}
        assert parts.names == ["a", "b"]
        assert parts.unread == {"a", "b"}
        assert parts.shape_and_dtype("a") == ((3, 1), "int8")
        assert parts.read("a").tolist() == [[1], [1], [1]]
        assert parts.unread == {"b"}


def test_file_without_arrays_is_opened(path):
    write_parts(path, DESCRIPTION, {})
    with opened(path) as parts:
        assert parts.names == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 99}, r"is of format 99, and this version of skcifar reads format 5"),
        ({"format": "2"}, r"is of format '2'"),
        ({"kind": "model"}, r"is a 'model', not a 'checkpoint'"),
        ({"kind": None}, r"is a None, not a 'checkpoint'"),
    ],
)
def test_other_formats_and_kinds_are_reported(path, changed, message):
    path.write_bytes(file_of(DESCRIPTION | changed, {}))
    with pytest.raises(ModelFileError, match=message), opened(path):
        pass


def test_format_is_reported_before_checksums_which_another_format_may_not_have(path):
    path.write_bytes(file_of(DESCRIPTION | {"format": 99}, {}, sha256="{}"))
    with pytest.raises(ModelFileError, match="is of format 99"), opened(path):
        pass


@pytest.mark.parametrize("more", [{"a": "1"}, {"a": "1", "b": "2"}])
def test_metadata_of_somebody_else_beside_are_reported(path, more):
    path.write_bytes(file_of(DESCRIPTION, {}, **more))
    with pytest.raises(ModelFileError, match="its metadata are "), opened(path):
        pass


def test_tensors_of_somebody_else_are_reported(path):
    path.write_bytes(put_together(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"1"))
    with pytest.raises(ModelFileError, match="holds tensors, but none of skcifar's"), opened(path):
        pass


CHECKSUM = hashlib.sha256(json.dumps(DESCRIPTION).encode()).hexdigest()


@pytest.mark.parametrize(
    "checksums",
    [
        *({"description": CHECKSUM}, {"description": CHECKSUM, "a": "0", "b": "0"}),
        *({"description": CHECKSUM, "b": "0"}, {"description": CHECKSUM, "b": "0", "c": "0"}),
    ],
)
def test_parts_are_those_that_checksums_are_of(path, checksums):
    path.write_bytes(file_of(DESCRIPTION, {"a": np.ones(1)}, sha256=json.dumps(checksums)))
    message = "its parts are not those that its checksums are of"
    with pytest.raises(ModelFileError, match=message), opened(path):
        pass


@pytest.mark.parametrize("checksum", ["0" * 64, "f" * 64, "", None, CHECKSUM.upper()])
def test_description_whose_checksum_is_another_is_reported(path, checksum):
    path.write_bytes(file_of(DESCRIPTION, {}, sha256=json.dumps({"description": checksum})))
    with pytest.raises(ModelFileError, match="SHA-256 of its part 'description'"), opened(path):
        pass


@pytest.mark.parametrize("error", [ValueError("it"), ZeroDivisionError("it"), MemoryError("it")])
def test_whatever_fails_for_what_is_in_the_file_is_reported_with_its_path(path, error):
    described(path)
    with pytest.raises(
        ModelFileError, match=rf"file\.safetensors does not .*{type(error).__name__}: it\)"
    ) as reported, opened(path):  # fmt: skip
        raise error
    assert reported.value.__cause__ is error


def test_what_was_reported_already_is_reported_no_more(path):
    described(path)
    with pytest.raises(ModelFileError, match=r"^this$"), opened(path):
        raise ModelFileError("this")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_is_no_error_is_let_through(path, error):
    described(path)
    with pytest.raises(error), opened(path):
        raise error


# --- reading ---


def test_array_is_read_once_only(path):
    described(path, a=np.ones(2))
    with opened(path) as parts:
        parts.read("a")
        with pytest.raises(ModelFileError, match="its part 'a' is used twice"):
            parts.read("a")
        with pytest.raises(ModelFileError, match="its part 'a' is used twice"):
            parts.read_finite(["a"], [((2,), "float64")])


@pytest.mark.parametrize("name", ["b", "description", ""])
def test_array_that_is_not_there_is_reported(path, name):
    described(path, a=np.ones(2))
    with opened(path) as parts, pytest.raises(ModelFileError, match=f"it has no part '{name}'"):
        parts.shape_and_dtype(name)


@pytest.mark.parametrize("checksum", ["0" * 64, "f" * 64])
def test_array_whose_checksum_is_another_is_reported(path, checksum):
    checksums = {"description": CHECKSUM, "a": checksum}
    path.write_bytes(file_of(DESCRIPTION, {"a": np.ones(2)}, sha256=json.dumps(checksums)))
    with opened(path) as parts, pytest.raises(ModelFileError, match="SHA-256 of its part 'a'"):
        parts.read("a")


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "C64"])
def test_dtypes_that_numpy_or_the_package_lacks_are_reported(path, dtype):
    described(path, a=np.zeros(1, np.float64))
    size = {"BF16": 2, "F8_E4M3": 1, "C64": 8}[dtype]
    header, data = take_apart(path.read_bytes())
    header = header.replace(b'"F64","shape":[1]', f'"{dtype}","shape":[{8 // size}]'.encode())
    path.write_bytes(put_together(header, data))
    with opened(path) as parts, pytest.raises(ModelFileError, match=f"is of dtype {dtype}"):
        parts.shape_and_dtype("a")


def test_array_of_32_axes_is_read_and_of_33_is_not(path):
    described(path, a=np.zeros([1] * 32), b=np.zeros([1] * 33))
    with opened(path) as parts:
        assert parts.read("a").ndim == 32
        with pytest.raises(ModelFileError, match="has 33 axes"):
            parts.read("b")


def test_arrays_are_read_in_the_order_of_their_names(path):
    described(path, a=np.ones(2, np.float32), b=np.zeros((), np.int64))
    with opened(path) as parts:
        b, a = parts.read_finite(["b", "a"], [((), "int64"), ((2,), "float32")])
    assert (b.tolist(), a.tolist()) == (0, [1, 1])


@pytest.mark.parametrize("shapes", [((2,), "float64"), ((1, 2), "float32"), ((), "float32")])
def test_array_that_differs_is_reported_and_not_read(path, shapes):
    described(path, a=np.ones(2, np.float32), b=np.ones(2))
    message = r"its part 'a' has shape \(2,\) and dtype float32, where .* belong"
    with opened(path) as parts:
        with pytest.raises(ModelFileError, match=message):
            parts.read_finite(["b", "a"], [((2,), "float64"), shapes])
        assert parts.unread == {"a", "b"}


@pytest.mark.parametrize("shapes", [[], [((2,), "float64")] * 2])
def test_arrays_that_are_more_or_fewer_than_expected_are_reported(path, shapes):
    described(path, a=np.ones(2))
    with pytest.raises(ModelFileError, match="does not describe a checkpoint"), opened(path) as p:
        p.read_finite(["a"], shapes)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_reported(path, value):
    described(path, a=np.array([0, value]))
    message = "its part 'a' holds NaN or infinity"
    with opened(path) as parts, pytest.raises(ModelFileError, match=message):
        parts.read_finite(["a"], [((2,), "float64")])


def test_booleans_are_zeros_and_ones(path):
    described(path, a=np.array([0, 1, 2], np.uint8).view(bool))
    with opened(path) as parts, pytest.raises(ModelFileError, match="are no booleans"):
        parts.read("a")


def test_description_is_given_so_much_memory_and_no_more(path, monkeypatch):
    monkeypatch.setattr(_parts, "MOST_DESCRIBED_BYTES", 100)
    described(path, a=np.zeros(9), b=np.zeros(4), c=np.zeros(3), d=np.zeros(1, np.uint8))
    with opened(path) as parts:
        parts.read("b")
        parts.read_finite(["a"], [((9,), "float64")])  # of which it is known that it belongs there
        parts.spend(12 * 3)
        parts.read("c")
        parts.spend(8)
        with pytest.raises(ModelFileError, match="asks for arrays of more than 100 bytes"):
            parts.read("d")


# --- values ---


def again(value, path):
    """Write a value and read it."""
    arrays = {}
    encoded = encode(value, "value", arrays)
    write_parts(path, DESCRIPTION | {"value": encoded}, arrays)
    with opened(path) as parts:
        decoded = decode(parts.description["value"], parts)
        assert not parts.unread
    return decoded


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -1, 2**64, 0.1, -0.0, 1e308, float("inf"), "", "é\x00\ud800"),
        *([], (), {}, [()], ([],), {"a": (1, [2])}, {1: "a", "1": "b"} | {1.5: None}),
        *({2**60 - 1: 0, 1 - 2**60: 1}, {"array": "x"}, {"tuple": [1]}, [{"dict": [[], []]}]),
        *(dict.fromkeys(range(300), 0), {str(k): [k / 7] * k for k in range(300)}),
        {k / 7: str(k) for k in range(300)},
    ],
)
def test_value_is_the_same_when_read(path, value):
    read = again(value, path)
    assert read == value
    assert repr(read) == repr(value)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a", "bcd"]),
        np.array(["a"], dtype="<U10"),
        np.array([], dtype="<U7"),
        np.array(["a", 1, 2**70, True], dtype=object),
        np.array([], dtype=object),
        np.array([[1.5, np.nan]]),
        np.array([True, False]),
    ],
)
def test_array_is_the_same_when_read(path, array):
    read = again({"a": [array]}, path)["a"][0]
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype
    assert list(map(type, read.tolist())) == list(map(type, array.tolist()))


def test_numbers_of_numpy_become_those_of_python(path):
    read = again(
        [np.int64(3), np.float32(0.5), np.bool_(True), np.str_("a"), {np.int8(1): 0}], path
    )
    assert read == [3, 0.5, True, "a", {1: 0}]
    assert [type(value) for value in read[:3]] == [int, float, bool]


@pytest.mark.parametrize(
    "value",
    [
        *(object(), b"bytes", {1, 2}, 1j, print, Path("a"), np.complex64(1), np.datetime64(1, "s")),
        *(np.longdouble(1), np.array([1j]), np.array([b"a"]), np.array([["a"]])),
        *(np.array("a"), np.array(None), np.zeros(1, "i4,i4")),
        np.array(["a"], np.dtypes.StringDType()),
        *(np.array([], dtype="M8[s]"), np.array([1.5, "a"], dtype=object), {None: 1}, {(1,): 1}),
        *(np.array(["a", None]), {2**60: 1}, {-(2**60): 1}, [[{"a": object()}]]),
    ],
)  # fmt: skip
def test_value_that_would_need_pickle_is_refused(value):
    with pytest.raises(ModelFileError, match=r"of step/x.* cannot be saved without pickle"):
        encode(value, "step/x", {})


@pytest.mark.parametrize(
    "value",
    [
        *({}, {"a": 1}, {"tuple": 1}, {"tuple": [], "more": 1}, {"dict": {}}, {"dict": []}),
        *({"dict": [[], []], "a": 1}, {"dict": [1]}, {"dict": [[1]]}, {"dict": ["a", "b"]}),
        *({"dict": [[1], [2], []]}, {"dict": [[1], []]}, {"dict": [[None], [1]]}),
        *({"dict": [[[]], [1]]}, {"dict": [[2**60], [1]]}, {"dict": [[-(2**60)], [1]]}),
        *({"dict": [[1, 1], [0, 1]]}, {"dict": [[{"tuple": []}], [1]]}),
        *({"array": 1}, {"array": "a", "more": 1}, {"values": []}, {"values": 1, "dtype": "<U1"}),
        *({"values": [1], "dtype": "<U1"}, {"values": ["ab"], "dtype": "<U1"}),
        *({"values": ["a"], "dtype": dtype} for dtype in ("<U0", "<U", "U1", ">U1", "<U1 ", "O")),
        *({"values": ["a"], "dtype": dtype} for dtype in ("<U1000000000", "|S1", "<M8[s]", 1)),
        *({"values": [1.5], "dtype": "|O"}, {"values": [None], "dtype": "|O"}),
        {"values": ["a"], "dtype": "<U1", "more": 1},
    ],
)
def test_value_of_no_kind_is_refused(path, value):
    described(path)
    with pytest.raises(ModelFileError, match="does not describe a checkpoint"), opened(path) as p:
        decode([value], p)


def test_text_takes_of_the_memory_that_the_description_is_given(path, monkeypatch):
    monkeypatch.setattr(_parts, "MOST_DESCRIBED_BYTES", 100)
    described(path)
    with opened(path) as parts:
        decode({"values": ["a", "b"], "dtype": "<U9"}, parts)  # 72 bytes
        decode({"values": [], "dtype": "<U7"}, parts)  # NumPy makes place for one
        with pytest.raises(ModelFileError, match="more than 100 bytes"):
            decode({"values": ["a"], "dtype": "<U1"}, parts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        ("\x1b[2J", r"'\x1b[2J'"),
        (ValueError("one\ntwo\x1b"), r"one\ntwo\x1b"),
        (ValueError("ü"), "ü"),
        ([1], "[1]"),
        ("b" * 198, "'" + "b" * 198 + "'"),
        ("b" * 199, "'" + "b" * 199 + "..."),
    ],
)
def test_what_a_file_holds_is_shown_on_one_line_and_not_at_length(value, text):
    assert shown(value) == text


def test_read_file_of_the_tests_reads_what_the_package_writes(path):
    write_parts(path, DESCRIPTION, {"a": np.ones(1)})
    description, arrays = read_file(path)
    assert (description, arrays["a"].tolist()) == (DESCRIPTION, [1])
