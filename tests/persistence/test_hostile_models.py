"""Model files from strangers: each is refused at once, in one way, and leaves nothing behind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hostile_models import KINDS, MARKER, OF_ANOTHER_KIND
from parts_files import change_file, read_file, take_apart
from safetensors import SafetensorError

from skcifar import DenseClassifier, load_model, make_dense_pipeline, save_model
from skcifar.files._parts import MOST_FILE_BYTES
from skcifar.persistence._models import ModelFileError

MOST_SECONDS = 1  # of the processor's time, whatever else the machine does
MOST_MEGABYTES = 200

LOAD_ALL = """
import json, resource, sys, time
from pathlib import Path
from skcifar import load_model
from skcifar.persistence import ModelFileError

def most_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000

load_model("good.safetensors")
reported = {}
for path in sorted(Path().glob("[0-9]*")):
    memory, seconds = most_memory(), time.process_time()
    try:
        load_model(path)
        result = "loaded"
    except ModelFileError as error:
        result = str(error)
    except BaseException as error:
        result = f"{type(error)}: {error}"
    reported[path.name] = result, time.process_time() - seconds, most_memory() - memory
print(json.dumps(reported))
"""


@pytest.fixture(scope="session")
def pipeline():
    images = np.random.default_rng(0).integers(0, 256, size=(30, 4, 4, 3), dtype=np.uint8)
    params = {"hidden_layer_sizes": (6, 5), "epochs": 1, "random_state": 0}
    return make_dense_pipeline(**params).fit(images, ["cat", "dog", "frog"] * 10)


@pytest.fixture(scope="session")
def content(pipeline, tmp_path_factory):
    """A good file."""
    path = tmp_path_factory.mktemp("good") / "model.safetensors"
    save_model(pipeline, path)
    return path.read_bytes()


@pytest.fixture
def path(content, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="session")
def folder(content, tmp_path_factory):
    """A folder in which another process has tried to load one file of each kind."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "good.safetensors").write_bytes(content)
    (folder / "before").mkdir()
    before = Path.cwd()
    os.chdir(folder / "before")
    try:
        for number, make in enumerate(KINDS.values()):
            (folder / f"{number:03d}").write_bytes(make(content))
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(scope="session")
def results(folder):
    process = subprocess.run(
        [sys.executable, "-c", LOAD_ALL], cwd=folder, capture_output=True, text=True, check=True
    )
    return json.loads(process.stdout)


@pytest.mark.parametrize(("number", "kind"), list(enumerate(KINDS)), ids=list(KINDS))
def test_hostile_file_is_refused_at_once(number, kind, results):
    reported, seconds, megabytes = results[f"{number:03d}"]
    assert reported.startswith(f"{number:03d} ")
    assert reported.isprintable()
    assert len(reported) < 800
    assert seconds < MOST_SECONDS
    assert megabytes < MOST_MEGABYTES


def test_hostile_files_make_no_files(folder, results):
    names = {path.name for path in folder.iterdir()}
    assert names == {"good.safetensors", "before", *results}
    assert not list(folder.parent.rglob(MARKER))


@pytest.mark.parametrize("kind", ["pickle", "array of objects"])
def test_marker_would_be_made_if_a_pickle_were_read(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(OF_ANOTHER_KIND[kind])
    np.load(tmp_path / "file", allow_pickle=True)
    assert (tmp_path / MARKER).exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists open files so")
def test_files_are_closed_again(folder):
    folder = folder.resolve()

    def opened():
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        links = [
            str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()
        ]
        return [text for text in (*links, *maps) if str(folder) in text]

    for number in range(0, len(KINDS), 3):
        with pytest.raises(ModelFileError):
            load_model(folder / f"{number:03d}")
    load_model(folder / "good.safetensors")
    assert opened() == []


# --- cuts and flipped bits ---


def places_of_parts(content):
    """Begin, middle and end of each part, the header being one."""
    header, data = take_apart(content)
    begin = len(content) - len(data)
    offsets = [part["data_offsets"] for name, part in json.loads(header).items()
               if name != "__metadata__"]  # fmt: skip
    ends = [(0, begin), *((begin + a, begin + b) for a, b in sorted(offsets))]
    return [(a, (a + b) // 2, b - 1) for a, b in ends]


def test_file_cut_anywhere_is_refused(path, content):
    cuts = {place for places in places_of_parts(content) for place in places}
    assert len(cuts) > 15
    for cut in cuts:
        path.write_bytes(content[:cut])
        with pytest.raises(ModelFileError, match=r"^.*model\.safetensors "):
            load_model(path)


def is_refused(path, content):
    path.write_bytes(content)
    try:
        load_model(path)
    except ModelFileError as error:
        return str(error).startswith(f"{path} ")
    return False


@pytest.mark.slow
def test_flipped_bit_in_any_byte_of_the_header_is_refused(path, content):
    for place in range(places_of_parts(content)[1][0]):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        assert is_refused(path, flipped), place


def test_flipped_bit_in_any_weights_is_refused(path, content):
    for begin, middle, end in places_of_parts(content)[1:]:
        for place, bit in ((begin, 0), (middle, 3), (end, 7)):
            flipped = bytearray(content)
            flipped[place] ^= 1 << bit
            assert is_refused(path, flipped), (place, bit)


# --- what is no file, or a file like no other ---


def test_folder_is_no_model(tmp_path):
    with pytest.raises(ModelFileError, match="is not a file"):
        load_model(tmp_path)


def test_model_in_a_folder_is_named(path):
    with pytest.raises(ModelFileError, match=re.escape(f"Give the file in it, {path}.")):
        load_model(path.parent)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="pipe is not a file"):
        load_model(tmp_path / "pipe")


@pytest.mark.skipif(sys.platform != "linux", reason="devices have other names there")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/proc/self/mem"])
def test_device_is_no_model(device):
    with pytest.raises(ModelFileError, match=device):
        load_model(device)


def test_path_that_no_file_can_have_is_refused():
    with pytest.raises(ModelFileError, match="is not a file"):
        load_model("model\0.safetensors")


@pytest.mark.parametrize("n_bytes", [4 * 2**30, 2**40, MOST_FILE_BYTES + 1])
def test_file_that_is_mostly_a_hole_is_refused(path, n_bytes):
    with path.open("r+b") as file:
        file.truncate(n_bytes)
    with pytest.raises(ModelFileError, match=r"is cut short or is not a model file"):
        load_model(path)


def test_file_that_changes_while_it_is_read_is_refused(path, content, monkeypatch):
    def open_another(path, **options):
        path.write_bytes(content[: len(content) // 2])
        return before(path, **options)

    from skcifar.files import _parts

    before = _parts.safe_open
    monkeypatch.setattr(_parts, "safe_open", open_another)
    with pytest.raises(ModelFileError, match=r"is cut short or is not a model file"):
        load_model(path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read_is_reported(path):
    path.chmod(0)
    with pytest.raises(ModelFileError, match="cannot be read: Permission denied"):
        load_model(path)


def test_error_of_the_disk_is_reported(path, monkeypatch):
    def broken(*args, **options):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("skcifar.files._parts.safe_open", broken)
    with pytest.raises(ModelFileError, match=r"cannot be read: Input/output error\.$"):
        load_model(path)


def test_interrupt_stays_an_interrupt(path, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("skcifar.files._parts.safe_open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_model(path)


def test_cause_of_a_refusal_is_kept(path):
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelFileError) as refused:
        load_model(path)
    assert isinstance(refused.value.__cause__, SafetensorError)


# --- classes that the caller names ---


def test_file_brings_no_class_into_use_that_is_imported_but_not_named(path):
    change_file(path, lambda d, a: d["steps"][0].update({"class": "StandardScaler", "params": {}}))
    with pytest.raises(ModelFileError, match="class 'StandardScaler'"):
        load_model(path, custom_classes=[DenseClassifier])


def test_named_class_does_not_take_the_place_of_one_of_the_package(path, pipeline):
    impostor = type("PixelScaler", (), {})
    loaded = load_model(path, custom_classes=[impostor])
    assert type(loaded["scale"]) is type(pipeline["scale"])


def test_file_is_only_read(path, content):
    load_model(path)
    assert path.read_bytes() == content
    assert read_file(path)[0]["kind"] == "model"
