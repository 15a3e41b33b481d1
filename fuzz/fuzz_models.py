"""Feed load_model with files that nobody saved, and see that it refuses them in good order.

    python fuzz/fuzz_models.py --inputs 300000 --seed 0

A file may be refused by ModelFileError, with a message of one line that names it, or be loaded and
predict. Whatever else happens is a find: another exception, more than two seconds of the
processor's time, more than 200 MB, a file that was made. Finds are kept under their SHA-256, with
what happened beside. Some of the files have checksums that are right, so that what is behind the
checksums is reached too.

With --atheris, libFuzzer chooses what to change by which lines of the reader it reaches.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

MOST_SECONDS = 2.0
MOST_GROWTH = 200 * 2**20
MOST_MEMORY = 8 * 2**30

NAMES_IN_FILES = {
    **{"bool": "BOOL", "uint8": "U8", "uint32": "U32", "int8": "I8", "int64": "I64"},
    **{"float16": "F16", "float32": "F32", "float64": "F64"},
}

# What is put in the place of any value of a description or a header.
VALUES = [
    *(None, True, False, 0, 1, -1, 2, 3, 100, 2**31, 2**32, 2**63, 2**64, 10**9, 10**18, 10**400),
    *(0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "a", "weights/", "\x00", "\x1b[2J", "é" * 50, "/etc/passwd", "../../x"),
    *("balanced", "relu", "constant", "|O", "<U1", "<U99999999", "<M8[s]", "F32", "BF16", "BOOL"),
    *("checkpoint", "callbacks", "predict", "model_", "__class__", "__dict__", "_validate_params"),
    *("ImageResizer", "PixelScaler", "ImageFlattener", "FunctionType"),
    *("DenseClassifier", "WhiteningClassifier"),
    *([], {}, [[]], [1] * 1000, ["a"] * 1000),
    *({"tuple": []}, {"tuple": [0, 0]}, {"tuple": [10**9] * 9}, {"array": "0/classes_"}),
    *(
        {"dict": [[], []]},
        {"dict": [[1, 1], [2, 2]]},
        {"dict": [[[]], [1]]},
        {"dict": [[2**61 - 1], [0]]},
    ),
    *({"values": ["a"], "dtype": "<U1"}, {"values": [1, "a"], "dtype": "|O"}),
    *({"values": [], "dtype": "<U9"}, {"values": ["a"] * 9, "dtype": "<U8000000"}),
]


# --- a file, apart and together again ---


def take_apart(content):
    """Return header and data of a file."""
    n = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + n]), content[8 + n :]


def put_together(header, data):
    """Return a file of a header and data."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode("utf-8", "replace")
    return len(text).to_bytes(8, "little") + text + data


def parts_of(content):
    """Return description and arrays of a file."""
    header, data = take_apart(content)
    dtypes = {there: name for name, there in NAMES_IN_FILES.items()}
    metadata = header.pop("__metadata__")
    return json.loads(metadata["skcifar"]), {
        name: np.frombuffer(
            data[slice(*reported["data_offsets"])], dtypes[reported["dtype"]]
        ).reshape(reported["shape"])
        for name, reported in header.items()
    }


def file_of(description, arrays):
    """Return a file whose checksums are right."""
    text = json.dumps(description)
    checksums = {"description": hashlib.sha256(text.encode()).hexdigest()}
    header, pieces, at = {}, [], 0
    for name, array in arrays.items():
        piece = array.tobytes()
        shapes = f"{array.dtype.name} {array.shape}\n".encode()
        checksums[name] = hashlib.sha256(shapes + piece).hexdigest()
        header[name] = {
            "dtype": NAMES_IN_FILES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(piece)],
        }
        pieces.append(piece)
        at += len(piece)
    metadata = {"skcifar": text, "sha256": json.dumps(checksums)}
    return put_together({"__metadata__": metadata} | header, b"".join(pieces))


# --- changes ---


def change_bytes(content, rng):
    """Flip, cut, insert, or repeat bytes anywhere, most often in the header."""
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(content) if rng.random() < 0.4 else min(3000, len(content)))
        match rng.randrange(7):
            case 0 | 1:
                content[at] ^= 1 << rng.randrange(8)
            case 2:
                del content[at:]
            case 3:
                del content[at : at + rng.randrange(1, 40)]
            case 4:
                content[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 5:
                content[at:at] = content[at : at + rng.randrange(1, 200)]
            case 6:
                number = rng.choice((0, 1, 7, len(content), 2**20, 2**31, 2**63, 2**64 - 1))
                content[:8] = number.to_bytes(8, "little")
        if not content:
            break
    return bytes(content)


def change_header(content, rng):
    """Change the JSON of the header, whose length is right."""
    header, data = take_apart(content)
    text = json.dumps(changed_json(header, rng))
    if rng.random() < 0.1:
        text = text.replace(": ", f": {'[' * rng.choice((1, 100, 10_000))}", 1)
    if rng.random() < 0.1:
        text = text.replace("{", "{" + text[1:].split("}, ", 1)[0] + "}, ", 1)  # a name twice
    return put_together(text, data)


def change_description(content, rng):
    """Change the description, with checksums that are right."""
    description, arrays = parts_of(content)
    return file_of(changed_json(description, rng), arrays)


def change_arrays(content, rng):
    """Change shapes, numbers and names of arrays, with checksums that are right."""
    description, arrays = parts_of(content)
    name = rng.choice(list(arrays))
    array = arrays[name]
    match rng.randrange(7):
        case 0:
            arrays[name] = array.astype(rng.choice(list(NAMES_IN_FILES)))
        case 1:
            arrays[name] = rng.choice((array.ravel(), array[None], array[:0], array.T, array[:1]))
        case 2:
            array = array.copy()
            array.flat[rng.randrange(array.size)] = rng.choice((np.nan, np.inf, 1e30, 0, 1))
            arrays[name] = array
        case 3:
            del arrays[name]
        case 4:
            arrays[rng.choice((name + "x", "x", "", "description", "weights/zz"))] = array
        case 5:
            other = rng.choice(list(arrays))
            arrays[name], arrays[other] = arrays[other], arrays[name]
        case 6:
            arrays |= {f"weights/{k:04d} x": array[:1] for k in range(rng.choice((2, 500)))}
    with np.errstate(all="ignore"):
        return file_of(description, {k: np.ascontiguousarray(v) for k, v in arrays.items()})


def changed_json(value, rng):
    """Return a copy in which one to three places are changed."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(value))
        if not places:
            break
        container, key = rng.choice(places)
        match rng.randrange(6):
            case 0 | 1 | 2:
                container[key] = rng.choice(VALUES)
            case 3:
                del container[key]
            case 4:
                other, place = rng.choice(places)
                container[key] = json.loads(json.dumps(other.get(place) if isinstance(other, dict)
                                                       else other[place]))  # fmt: skip
            case 5 if isinstance(container, dict):
                container[str(rng.choice(VALUES))[:60]] = container[key]
            case 5:
                container.insert(key, container[key])
        value = json.loads(json.dumps(value))
    return value


def _places(value):
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    else:
        return
    for key in keys:
        yield value, key
        yield from _places(value[key])


# By how often; those that reach the building of networks take a hundred times as long.
CHANGES = {change_bytes: 0.62, change_header: 0.34, change_description: 0.03, change_arrays: 0.01}


def change(content, rng):
    """Change a file in one of all ways, or now and then in two."""
    for _ in range(rng.choice((1, 1, 1, 2))):
        (how,) = rng.choices(list(CHANGES), CHANGES.values())
        try:
            content = how(content, rng)
        except Exception:  # what was changed before cannot be taken apart any more
            content = change_bytes(content or b"0", rng)
    return content


# --- the reader ---


class Reader:
    """Loads files one by one, counts what happens, and keeps what should not."""

    def __init__(self, folder, finds, *, check_predictions=0.02, seed=0):
        from skcifar import load_model
        from skcifar.persistence._models import ModelFileError

        self._load, self._error = load_model, ModelFileError
        self._path = folder / "model.safetensors"
        self._finds = finds
        self._rng = random.Random(seed)
        self._check_predictions = check_predictions
        self._memory = _most_memory()
        self.counts = Counter()
        self.slowest = 0.0

    def read(self, content):
        """Load a file."""
        self._path.write_bytes(content)
        begin = time.process_time()
        try:
            pipeline = self._load(self._path)
            result = "loaded"
        except self._error as error:
            result, reported = "refused", str(error)
            if (
                not reported.startswith(f"{self._path} ")
                or "\n" in reported
                or len(reported) > 1000
            ):
                self.keep(content, f"message: {reported!r}")
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            result = "crashed"
            self.keep(content, traceback.format_exc())
        seconds = time.process_time() - begin
        self.counts[result] += 1
        if result == "refused":
            self.slowest = max(self.slowest, seconds)
        if seconds > MOST_SECONDS:
            self.keep(content, f"{result} after {seconds:.1f} s")
        if result == "refused" and _most_memory() > self._memory + MOST_GROWTH:
            self.keep(content, f"memory: {self._memory:,} before, {_most_memory():,} bytes after")
        if self.counts.total() % 100 == 0:
            there = list(self._path.parent.iterdir())
            if there != [self._path]:
                self.keep(content, f"files: {there}")  # made by this input or one of 99 before
        if result == "loaded" and self._rng.random() < self._check_predictions:
            self._predict(pipeline, content)
        self._memory = _most_memory()

    def _predict(self, pipeline, content):
        classifier = getattr(pipeline, "steps", [(None, pipeline)])[-1][1]
        if np.prod(classifier.sample_shape_) > 10**6:
            return
        try:
            probabilities = classifier.predict_proba(np.ones((2, *classifier.sample_shape_)))
            if probabilities.shape != (2, len(classifier.classes_)):
                self.keep(content, f"probabilities of shape {probabilities.shape}")
            self.counts["predicted"] += 1
        except Exception:
            self.keep(content, "predict: " + traceback.format_exc())

    def keep(self, content, reported):
        """Keep a find."""
        self.counts["finds"] += 1
        self._finds.mkdir(parents=True, exist_ok=True)
        path = self._finds / f"{hashlib.sha256(content).hexdigest()[:16]}.safetensors"
        path.write_bytes(content)
        path.with_suffix(".txt").write_text(reported, encoding="utf-8", errors="backslashreplace")

    def summary(self):
        """Describe what happened so far."""
        counts = ", ".join(f"{n:,} {name}" for name, n in sorted(self.counts.items()))
        return f"{counts}; slowest refusal {self.slowest:.2f} s; {_most_memory() / 1e6:,.0f} MB"


def _most_memory():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Linux counts in kB


def seed_files(folder):
    """Return files that are right, of every network and of rows."""
    import skcifar

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, size=(12, 4, 4, 3), dtype=np.uint8)
    names = np.array(["cat", "dog", "frog"] * 4)
    options = {"epochs": 1, "random_state": 0}
    small = {"filters": (2, 2), "strides": (1, 2), "hidden_layer_sizes": (3,)}
    models = [
        skcifar.make_dense_pipeline(hidden_layer_sizes=(4, 3), **options).fit(pictures, names),
        skcifar.make_convolutional_pipeline(**small, **options).fit(pictures, names.astype(object)),
        skcifar.make_whitening_pipeline(filters=(2,), **options).fit(pictures, np.arange(12) % 3),
        skcifar.DenseClassifier(
            hidden_layer_sizes=np.array([3]), class_weight={0: 1.0, 1: 2.0}, early_stopping=True,
            validation_fraction=0.4, batch_normalization=True, dropout=0.1, **options,
        ).fit(pictures.reshape(12, -1), np.arange(12) % 2),
    ]  # fmt: skip
    path = folder / "seed.safetensors"
    for model in models:
        skcifar.save_model(model, path)
        yield path.read_bytes()
    path.unlink()


def fuzz(arguments, folder):
    """Change files at random, and load them."""
    seeds = list(seed_files(folder))
    rng = random.Random(arguments.seed)
    reader = Reader(folder, arguments.findings, seed=arguments.seed)
    for seed in seeds:
        reader.read(seed)  # what is imported and compiled once
    begin = last = time.monotonic()
    for number in range(1, arguments.inputs + 1):
        content = seed = rng.choice(seeds)
        while content == seed:
            content = change(seed, rng)
        reader.read(content)
        if time.monotonic() > last + 30 or number == arguments.inputs:
            last = time.monotonic()
            print(f"{number:,} inputs in {last - begin:,.0f} s: {reader.summary()}", flush=True)
    return reader.counts["finds"]


def fuzz_with_atheris(arguments, folder):
    """Let libFuzzer change files, by bytes and in our ways, and load them."""
    import atheris

    with atheris.instrument_imports(
        include=["skcifar.files._parts", "skcifar.persistence._models"]
    ):
        import skcifar.persistence  # noqa: F401
    corpus = Path(tempfile.mkdtemp(prefix="corpus-"))
    for number, seed in enumerate(seed_files(folder)):
        (corpus / str(number)).write_bytes(seed)
    reader = Reader(folder, arguments.findings)

    def mutate(content, most_bytes, seed):
        rng = random.Random(seed)
        if rng.random() < 0.3:
            return atheris.Mutate(content, most_bytes)
        return change(content, rng)[:most_bytes]

    begin = time.monotonic()

    def read(content):
        reader.read(content)
        n_inputs = sum(reader.counts[k] for k in ("loaded", "refused", "crashed"))
        if n_inputs % 1000 == 0 or n_inputs == arguments.inputs:  # libFuzzer ends the process
            print(f"{time.monotonic() - begin:,.0f} s: {reader.summary()}", flush=True)

    options = [f"-runs={arguments.inputs}", f"-seed={arguments.seed + 1}", "-max_len=20000"]
    options += ["-rss_limit_mb=0", "-timeout=60", "-verbosity=0", str(corpus)]
    atheris.Setup([sys.argv[0], *options], read, custom_mutator=mutate)
    atheris.Fuzz()


def main():
    """Run what the command line requests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=300_000, help="how many files")
    parser.add_argument("--seed", type=int, default=0, help="of what is random")
    parser.add_argument("--findings", type=Path, default="fuzz-findings", help="folder")
    parser.add_argument("--atheris", action="store_true", help="let libFuzzer choose")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    in_memory = (
        "/dev/shm" if Path("/dev/shm").is_dir() else None
    )  # a disk would take most of the time
    with tempfile.TemporaryDirectory(prefix="models-", dir=in_memory) as folder:
        run = fuzz_with_atheris if arguments.atheris else fuzz
        return 1 if run(arguments, Path(folder)) else 0


if __name__ == "__main__":
    sys.exit(main())
