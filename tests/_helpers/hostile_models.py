"""Files that a stranger would make to do harm, each of which ``load_model`` has to refuse.

Whatever would be executed makes a file named ``marker`` in the working folder.
"""

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from parts_files import change_file, file_of, put_together, read_file, take_apart

from skcifar.files._parts import FORMAT

MARKER = "marker"
DEEP = "[" * 10_000 + "]" * 10_000
PYTHON_HASHES_ALIKE = [n * (2**61 - 1) for n in range(1, 20_000)]


class _Bomb:
    def __reduce__(self):
        return Path.touch, (Path(MARKER),)


# --- files of another kind ---


def _zip(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _tar_that_climbs_out():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(f"../../{MARKER}"))
    return buffer.getvalue()


def _array_of_objects():
    buffer = io.BytesIO()
    np.save(buffer, np.array([_Bomb()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {
        "name": "lambda",
        "function": {
            "class_name": "__lambda__",
            "config": {"code": "4wEAAAAAAAAA", "defaults": None, "closure": None},
        },
    },
}

OF_ANOTHER_KIND = {
    "empty": b"",
    "seven bytes": b"\x00" * 7,
    "zeros": b"\x00" * 1000,
    "text": b"text " * 1000,
    "zip bomb": _zip(model=b"\x00" * 2 * 10**8),
    "zip that climbs out": _zip(**{f"../../{MARKER}": b"1", f"/tmp/{MARKER}": b"1"}),
    "tar that climbs out": _tar_that_climbs_out(),
    "gzip bomb": gzip.compress(b"\x00" * 2 * 10**8),
    "pickle": pickle.dumps(_Bomb()),
    "pickle of protocol 0": pickle.dumps(_Bomb(), protocol=0),
    "array of objects": _array_of_objects(),
    "Keras archive with a lambda": _zip(
        **{"config.json": json.dumps(LAMBDA), "metadata.json": "{}", "model.weights.h5": b""}
    ),
}


# --- headers ---


def _header(change):
    """Change the header, and give it the length that it has then."""

    def changed(content):
        header, data = take_apart(content)
        return put_together(change(header), data)

    return changed


def _length(n_header_bytes):
    return lambda content: n_header_bytes.to_bytes(8, "little") + content[8:]


def _part(**changed):
    """Change the header's entry of its first part."""

    def change(header):
        header = json.loads(header)
        name = next(name for name in header if name != "__metadata__")
        header[name] |= changed
        return json.dumps(header).encode()

    return _header(change)


def _tiny_parts(n_parts):
    """A file with so many parts, all of one byte and all with their checksums."""

    def made(content):
        arrays = {f"weights/{k:04d}": np.zeros(1, np.uint8) for k in range(n_parts)}
        return file_of({"format": FORMAT, "kind": "model", "pipeline": None, "steps": []}, arrays)

    return made


HEADERS = {
    "header of 100 MB is claimed": _length(10**8),
    "header of 2**64 bytes is claimed": _length(2**64 - 1),
    "header of 0 bytes is claimed": _length(0),
    "header ends too early": lambda content: _length(len(take_apart(content)[0]) - 1)(content),
    "header ends too late": lambda content: _length(len(take_apart(content)[0]) + 1)(content),
    "header is nested 10,000 deep": _header(lambda header: DEEP.encode()),
    "part is nested 10,000 deep": _header(lambda h: b'{"a":' + DEEP.encode() + b"," + h[1:]),
    "header is a list": _header(lambda header: b"[]"),
    "header is null": _header(lambda header: b"null"),
    "header is no UTF-8": _header(lambda header: header.replace(b"skcifar", b"skcif\xe4r", 1)),
    "header has a NaN": _header(lambda h: h.replace(b"data_offsets", b'a":NaN,"data_offsets', 1)),
    "header is of empty lists": _header(lambda h: b"[" + b"[]," * 170_000 + b"[]]"),
    "metadata are there twice": _header(
        lambda h: b'{"__metadata__":{"skcifar":"{}","sha256":"{}"},' + h[1:]
    ),
    "part is there twice": _header(
        lambda h: (
            h[:-1].rstrip(b" }") + b'},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
            b'"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
        )
    ),
    "metadata of somebody else beside": _header(
        lambda h: h.replace(b'"__metadata__":{', b'"__metadata__":{"a":"1",')
    ),
    "metadata are no strings": _header(
        lambda h: h.replace(b'"__metadata__":{', b'"__metadata__":{"a":1,')
    ),
    "part of 2**64 values": _part(shape=[2**32, 2**32]),
    "part of 10**400 values": _part(shape=[10**400]),
    "part of 100 GB": _part(shape=[25 * 10**9]),
    "part with 40 axes": _part(shape=[1] * 40),
    "part of a negative shape": _part(shape=[-1]),
    "part of another shape": _part(shape=[1]),
    "part of another dtype": _part(dtype="I64"),
    "part of no dtype": _part(dtype="O"),
    "part behind the end": _part(data_offsets=[2**40, 2**40 + 8]),
    "part that ends before it begins": _part(data_offsets=[8, 0]),
    "bytes behind the end": lambda content: content + b"\x00",
    "50,000 parts": _tiny_parts(50_000),
    "3,000 parts": _tiny_parts(3_000),
}


# --- descriptions and arrays, with the checksums that they should have ---


def _described(change):
    """Change description and arrays by a function."""

    def changed(content, path=Path("changed")):
        path.write_bytes(content)
        try:
            change_file(path, change)
            return path.read_bytes()
        finally:
            path.unlink()

    return changed


def _text(text):
    """Replace the text of the description."""

    def changed(content, path=Path("changed")):
        path.write_bytes(content)
        arrays = read_file(path)[1]
        path.unlink()
        return file_of(text, arrays)

    return changed


def _description(**changed):
    return _described(lambda description, arrays: description.update(changed))


def _step(number=-1, **changed):
    return _described(lambda d, arrays: d["steps"][number].update(changed))


def _params(**changed):
    return _described(lambda d, arrays: d["steps"][-1]["params"].update(changed))


def _learned(**changed):
    return _described(lambda d, arrays: d["steps"][-1]["learned"].update(changed))


def _weights(change):
    """Change the array of the first weights."""

    def changed(description, arrays):
        name = min(name for name in arrays if name.startswith("weights/"))
        arrays[name] = change(arrays[name])

    return _described(changed)


def _with(array, value):
    array = array.copy()
    array.flat[0] = value
    return array


def _rename(description, arrays):
    name = max(arrays)
    arrays["nobody's"] = arrays.pop(name)


def _a_gigabyte_of_text():
    wide = {"values": ["a"], "dtype": "<U8000000"}
    return _params(class_weight={"dict": [list(range(40)), [wide] * 40]})


def _as_network(cls, *, chosen=None, **params):
    """Let the classifier be one on pictures, of another class."""

    def change(description, arrays):
        del description["steps"][1]
        step = description["steps"][-1]
        step["class"] = cls
        step["params"] = {name: {"tuple": v} if isinstance(v, list) else v
                          for name, v in params.items()}  # fmt: skip
        step["learned"] |= {"sample_shape_": {"tuple": [4, 4, 3]}, "n_features_in_": 4}
        if chosen is not None:
            step["learned"]["chosen_"] = {"dict": [["filters"], [chosen]]}

    return _described(change)


def _swap_steps(description, arrays):
    description["steps"].reverse()


def _use_twice(description, arrays):
    arrays["2/hidden_layer_sizes"] = np.array([6, 5])
    twice = {"array": "2/hidden_layer_sizes"}
    description["steps"][-1]["params"] |= {"hidden_layer_sizes": twice, "class_weight": twice}


def _big_array(description, arrays):
    arrays["2/hidden_layer_sizes"] = np.ones(2**25 + 1, np.uint8)
    description["steps"][-1]["params"]["hidden_layer_sizes"] = {"array": "2/hidden_layer_sizes"}


def _long_list(array):
    def change(description, arrays):
        arrays["2/x"] = array()
        description["steps"][-1]["params"]["hidden_layer_sizes"] = {"list": "2/x"}

    return _described(change)


def _json(text):
    return lambda: np.frombuffer(text.encode(), np.uint8)


def _booleans_of_7(description, arrays):
    arrays["2/x"] = np.array([0, 7], np.uint8).view(bool)
    description["steps"][-1]["params"]["class_weight"] = {"array": "2/x"}


DESCRIPTIONS = {
    "description is nested 10,000 deep": _text(DEEP),
    "description is no JSON": _text("{"),
    "description is a list": _text("[]"),
    "description is null": _text("null"),
    "description is of empty lists": _text("[" + "[]," * 150_000 + "[]]"),
    "description has a name twice": _text(f'{{"format": {FORMAT}, "format": {FORMAT}}}'),
    "newer format": _description(format=FORMAT + 1),
    "format of 10,000 characters": _description(format="\x1b[2J\n" * 2_000),
    "kind is another": _description(kind="checkpoint"),
    "kind is a list": _description(kind=[]),
    "settings are a list": _description(settings=[]),
    "no settings": _description(settings={}),
    "no steps": _description(steps=[]),
    "steps are a number": _description(steps=1),
    "two steps and no Pipeline": _description(pipeline=None),
    "Pipeline with options that are none": _description(
        pipeline={"transform_input": "X_val", "verbose": False}
    ),
    "steps are nested 900 deep": _params(class_weight=json.loads(DEEP[9_100:10_900])),
    "class is Keras' Lambda": _step(**{"class": "Lambda", "module": "keras.layers"}),
    "class is eval": _step(**{"class": "eval", "module": "builtins"}),
    "class is a list": _step(**{"class": []}),
    "class of 100,000 characters": _step(**{"class": "\x1b[31m" * 20_000}),
    "class is that of a transformer": _step(**{"class": "PixelScaler", "params": {}}),
    "classifier in the middle": _described(_swap_steps),
    "name of a step is there twice": _step(number=0, name="flatten"),
    "name of a step is null": _step(name=None),
    "name of a step is a list": _step(name=[]),
    "name of a step has two underscores": _step(name="a__b"),
    "name of a step is a Pipeline's parameter": _step(name="memory"),
    "parameter is a lambda": _params(activation=LAMBDA),
    "parameter is a callback": _params(callbacks=[LAMBDA]),
    "parameter is a path to write to": _params(checkpoint=f"../{MARKER}"),
    "learned is a path to write to": _learned(checkpoint=f"../{MARKER}"),
    "parameter is unknown": _params(unknown=1),
    "parameter is of an unknown kind": _params(dropout={"eval": "1"}),
    "parameter is an integer of 4,000 digits": _params(learning_rate=10**4_000),
    "parameter is NaN": _params(learning_rate=float("nan")),
    "seed is 10**100": _params(random_state=10**100),
    "parameter is an array of the wrong kind": _described(_booleans_of_7),
    "parameter is an array of 32 MB": _described(_big_array),
    "list of 32 MB": _long_list(lambda: np.ones(2**22)),
    "list of 2 MB of lists": _long_list(_json("[" + "[]," * 700_000 + "[]]")),
    "list of 1 MB of lists": _long_list(_json("[" + "[]," * 340_000 + "[]]")),
    "list of lists": _long_list(lambda: np.ones((2, 2))),
    "list that is a dict": _long_list(_json('{"a": 1}')),
    "list of halves": _long_list(lambda: np.full(3, 0.5)),
    "list that is nested 10,000 deep": _long_list(_json(DEEP)),
    "list of a list": _params(hidden_layer_sizes={"tuple": {"list": []}}),
    "array of strings that is a number": _learned(classes_={"values": 1, "dtype": "<U1"}),
    "network with parameters of training": _step(network_params={"epochs": 2}),
    "network with parameters that are none": _step(network_params={"model_": 2}),
    "network with a parameter that is not valid": _step(network_params={"activation": "eval"}),
    "network of other parameters": _step(network_params={"hidden_layer_sizes": [7, 5]}),
    "network of 100,000 layers": _step(network_params={"hidden_layer_sizes": [1] * 100_000}),
    "network parameters are a number": _step(network_params=7),
    "array is used twice": _described(_use_twice),
    "array that is not there": _params(hidden_layer_sizes={"array": "nowhere"}),
    "array is the description": _params(hidden_layer_sizes={"array": "description"}),
    "array climbs out": _params(hidden_layer_sizes={"array": "../../../etc/passwd"}),
    "array of weights is a parameter": _params(
        hidden_layer_sizes={"array": "weights/0000 hidden_1/kernel"}
    ),
    "1.3 GB of text": _a_gigabyte_of_text(),
    "text of an absurd dtype": _learned(classes_={"values": ["a", "b"], "dtype": "<U99999999"}),
    "text that is no text": _learned(classes_={"values": [1, 2], "dtype": "<U1"}),
    "text that is longer than its dtype": _learned(classes_={"values": ["ab"], "dtype": "<U1"}),
    "dates": _learned(classes_={"values": [1, 2], "dtype": "<M8[s]"}),
    "keys that Python hashes alike": _params(
        class_weight={"dict": [PYTHON_HASHES_ALIKE, [0] * len(PYTHON_HASHES_ALIKE)]}
    ),
    "key is there twice": _params(class_weight={"dict": [[1, 1], [0, 1]]}),
    "key is a list": _params(class_weight={"dict": [[[]], [0]]}),
    "100,000 layers": _params(hidden_layer_sizes=[1] * 100_000),
    "layer of 10**9 units": _params(hidden_layer_sizes=[10**9, 5]),
    "layer of 10**400 units": _params(hidden_layer_sizes=[10**400, 5]),
    "layers of 100 GB": _params(hidden_layer_sizes=[160_000, 160_000]),
    "layer of 0 units": _params(hidden_layer_sizes=[0, 5]),
    "layer of lists": _params(hidden_layer_sizes=[[6], [5]]),
    "layer of half a unit": _params(hidden_layer_sizes=[6.5, 5]),
    "layers are text": _params(hidden_layer_sizes="65"),
    "convolution of 10**9 pixels": _as_network(
        "ConvolutionalClassifier", filters=[2], strides=[1], kernel_size=10**9
    ),
    "convolution of 10**18 filters": _as_network(
        "ConvolutionalClassifier", filters=[10**18], strides=[1]
    ),
    "convolution with steps of 0": _as_network(
        "ConvolutionalClassifier", filters=[2], strides=[0]
    ),
    "convolution with steps of 10**9": _as_network(
        "ConvolutionalClassifier", filters=[2], strides=[10**9]
    ),
    "choice of 50,000 stages": _as_network("WhiteningClassifier", chosen=[1] * 50_000),
    "choice of filters that is text": _as_network("WhiteningClassifier", chosen="many"),
    "choice that is a number": _learned(chosen_=1),
    "whitening network of 10**9 filters": _as_network("WhiteningClassifier", filters=[10**9]),
    "whitening network of 10**9 convolutions": _as_network(
        "WhiteningClassifier", filters=[2], n_convolutions=10**9
    ),
    "whitening network that shifts without end": _as_network(
        "WhiteningClassifier", filters=[2], max_shift=float("inf")
    ),
    "learned shadows a method": _learned(predict=1),
    "learned is a dunder": _learned(__class__=1),
    "learned is a network": _learned(model_=LAMBDA),
    "learned shadows the rules of parameters": _learned(_parameter_constraints={"dict": [[], []]}),
    "learned is no name": _learned(**{"a b_": 1}),
    "samples of 10**18 pixels": _learned(
        sample_shape_={"tuple": [10**9, 10**9, 3]}, n_features_in_=10**9
    ),
    "samples of 27 * 10**24 numbers": _learned(
        sample_shape_={"tuple": [10**8, 10**8, 3 * 10**8]}, n_features_in_=10**8
    ),
    "samples of more values than any": _learned(
        sample_shape_={"tuple": [2**24 + 1]}, n_features_in_=2**24 + 1
    ),
    "network's seed is text": _learned(network_seed_="0"),
    "network's seed is 10**100": _learned(network_seed_=10**100),
    "samples of ten axes": _learned(sample_shape_={"tuple": [1] * 10}),
    "samples of no axes": _learned(sample_shape_={"tuple": []}),
    "samples of a negative size": _learned(sample_shape_={"tuple": [-48]}),
    "samples of True": _learned(sample_shape_={"tuple": [True]}),
    "number of features is NaN": _learned(n_features_in_=float("nan")),
    "number of features is not that of samples": _learned(n_features_in_=1),
    "names of features are too few": _learned(
        feature_names_in_={"values": ["a"], "dtype": "|O"}
    ),
    "one class": _learned(classes_={"values": ["cat"], "dtype": "<U4"}),
    "classes are not sorted": _learned(classes_={"values": ["b", "a", "c"], "dtype": "<U1"}),
    "classes are there twice": _learned(classes_={"values": ["a", "a", "b"], "dtype": "<U1"}),
    "classes are a list": _learned(classes_=["cat", "dog", "frog"]),
    "40,000 classes": _learned(
        classes_={"values": sorted(map(str, range(40_000))), "dtype": "<U5"}
    ),
    "history is a list": _learned(history_=[]),
    "history with a measure without a name": _learned(
        history_={"dict": [["loss", "accuracy", 1], [[0.1], [0.1], [0.1]]]}
    ),
    "history with a loss that is text": _learned(
        history_={"dict": [["loss", "accuracy"], [["0.1"], [0.1]]]}
    ),
    "best epoch is after all": _learned(best_iter_=100),
    "names of features are numbers": _learned(
        feature_names_in_={"values": [1, 2], "dtype": "|O"}
    ),
    "weights of NaN": _weights(lambda array: _with(array, np.nan)),
    "weights of infinity": _weights(lambda array: _with(array, -np.inf)),
    "weights in int32": _weights(lambda array: array.astype(np.int32)),
    "weights in booleans": _weights(lambda array: array > 0),
    "weights of another shape": _weights(lambda array: array.T.copy()),
    "weights without values": _weights(lambda array: array[:0]),
    "weights with an axis more": _weights(lambda array: array[None]),
    "weights are missing": _described(lambda d, arrays: arrays.pop(max(arrays))),
    "weights too many": _described(lambda d, a: a.update({"weights/9": np.ones(1, np.float32)})),
    "part that nothing uses": _described(lambda d, arrays: arrays.update(x=np.ones(1))),
    "part that is renamed": _described(_rename),
}  # fmt: skip

# --- checksums ---


def _checksums(change):
    def changed(header):
        header = json.loads(header)
        checksums = json.loads(header["__metadata__"]["sha256"])
        header["__metadata__"]["sha256"] = change(checksums)
        return json.dumps(header).encode()

    return _header(changed)


CHECKSUMS = {
    "checksums are null": _checksums(lambda checksums: "null"),
    "checksums are nested 10,000 deep": _checksums(lambda checksums: DEEP),
    "checksums are of fewer parts": _checksums(
        lambda c: json.dumps({"description": c["description"]})
    ),
    "checksums are of more parts": _checksums(lambda c: json.dumps(c | {"x": "0"})),
    "checksums are numbers": _checksums(lambda c: json.dumps(dict.fromkeys(c, 1))),
    "checksum is of another description": _checksums(
        lambda c: json.dumps(c | {"description": "0" * 64})
    ),
}

KINDS = {
    **{name: (lambda content, of_another_kind=made: of_another_kind)
       for name, made in OF_ANOTHER_KIND.items()},
    **HEADERS,
    **DESCRIPTIONS,
    **CHECKSUMS,
}  # fmt: skip
