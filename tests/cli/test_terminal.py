"""What reaches the terminal, and how the command ends with its streams and by signals."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from one_line_errors import error_of
from PIL import Image

from skcifar import make_dense_pipeline, save_model
from skcifar.cli._parser import main
from skcifar.cli._terminal import printable

ODD = "\x1b[2J\r\n\u202eé\u2028"
SHOWN = r"\x1b[2J\r\n\u202eé\u2028"
COMMAND = [sys.executable, "-m", "skcifar"]
QUICK = ["--data", "digits", "--limit", "100", "--hidden-layer-sizes", "5"]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="of Unix")


@pytest.fixture
def odd_model(tmp_path):
    """A model with a class whose name draws on the terminal, and a picture."""
    X = np.repeat(np.arange(0, 200, 20, dtype=np.uint8), 32 * 32 * 3).reshape(10, 32, 32, 3)
    picture = tmp_path / f"{ODD}.png"
    Image.fromarray(X[0]).save(picture)
    path = tmp_path / f"{ODD}.safetensors"
    pipeline = make_dense_pipeline(epochs=1, hidden_layer_sizes=(), random_state=0)
    save_model(pipeline.fit(X, [ODD, "plain"] * 5), path)
    return str(path), str(picture)


@pytest.mark.parametrize(
    "text", ["\x1b", "\r", "\n", "\x85", "\u2028", "\u202e", "\u200b", "\udcff"]
)
def test_what_is_not_visible_is_escaped(text):
    assert printable(f"é{text}日") == f"é{ascii(text)[1:-1]}日"


@posix_only
def test_names_in_a_comparison_cannot_draw_on_the_terminal(odd_model, tmp_path, capsys):
    of_odd_classes, picture = odd_model
    pictures, names = [], []
    for split in ("train", "test"):
        for name in ("left", "right"):
            folder = tmp_path / ODD / split / name
            folder.mkdir(parents=True)
            shutil.copy(picture, folder / f"{ODD}.png")
            pictures.append(np.asarray(Image.open(picture)))
            names.append(name)
    model = tmp_path / f"model{ODD}.safetensors"
    pipeline = make_dense_pipeline(epochs=1, hidden_layer_sizes=(), random_state=0)
    save_model(pipeline.fit(np.stack(pictures), names), model)
    options = ["--networks", "none", "--data", tmp_path / ODD, "--out", tmp_path / f"out{ODD}"]
    main(["compare", of_odd_classes, str(model), *map(str, options)])
    reported = capsys.readouterr()
    assert r" model\x1b[2J\r\n" in reported.out  # in the table
    assert f"out{SHOWN} holds" in reported.out
    assert r"Give pictures of \x1b[2J" in reported.err
    assert all(c.isprintable() or c == "\n" for c in reported.out + reported.err)


@posix_only
@pytest.mark.parametrize("command", ["evaluate", "predict", "report", "export"])
def test_names_cannot_draw_on_the_terminal(odd_model, tmp_path, capsys, command):
    model, picture = odd_model
    out = tmp_path / f"out{ODD}"
    if command == "report":
        out.mkdir()
        (out / "metrics.json").write_text(json.dumps({}))
    if command == "export":
        pytest.importorskip("onnx")
    argv = {
        "evaluate": [model, "--data", str(tmp_path / ODD)],
        "predict": [model, picture],
        "report": [str(out)],
        "export": [model, f"{out}.onnx"],
    }
    main([command, *argv[command]])
    reported = capsys.readouterr()
    assert r"\x1b[2J" in reported.out + reported.err
    odd = [c for c in reported.out + reported.err if not c.isprintable() and c != "\n"]
    assert not odd


def test_arguments_cannot_draw_on_the_terminal(capsys):
    message = error_of(capsys, ["train", f"--{ODD}"])
    assert r"unrecognized arguments: --\x1b[2J \u202eé" in message


def test_warnings_are_one_line(capsys, monkeypatch):
    import warnings

    def warn(arguments):
        warnings.warn(f"a {ODD} b", stacklevel=2)
        return 0

    monkeypatch.setattr("skcifar.cli._report.report", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(["report", "folder"]) == 0
    assert capsys.readouterr().err == "skcifar: warning: a \\x1b[2J \\u202eé b\n"


@posix_only
@pytest.mark.slow
def test_names_are_shown_in_any_encoding(odd_model):
    model, picture = odd_model
    argv = ["predict", model, picture]
    env = os.environ | {"PYTHONIOENCODING": "ascii"}
    reported = subprocess.run([*COMMAND, *argv], capture_output=True, env=env, check=True)
    assert SHOWN.replace("é", r"\xe9").encode() in reported.stdout
    assert reported.stderr == b""


@posix_only
@pytest.mark.slow
@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_do_no_harm(tmp_path, streams):
    argv = ["train", *QUICK, "--epochs", "1", "--out", str(tmp_path)]
    shell = ["sh", "-c", f'"$0" "$@" {streams}', *COMMAND, *argv]
    reported = subprocess.run(shell, capture_output=True, text=True)
    assert (reported.returncode, reported.stderr) == (0, "")
    assert main(["evaluate", str(tmp_path / "model.safetensors"), "--limit", "50"]) == 0


@posix_only
@pytest.mark.slow
@pytest.mark.parametrize("argv", [["--help"], ["train", *QUICK, "--epochs", "100000", "--out"]])
def test_output_that_nobody_reads_is_no_error(tmp_path, argv):
    argv = [*argv, str(tmp_path)] if "--out" in argv else argv
    reader, writer = os.pipe()
    os.close(reader)
    reported = subprocess.run([*COMMAND, *argv], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert reported.stderr == ""
    # some versions of argparse ignore that their output is closed
    assert reported.returncode in ({0, 141} if argv == ["--help"] else {141})


@posix_only
@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "begun"),
    [
        (["compare", "--networks", "dense", "--epochs", "100000"], "epoch "),
        (["search", "--jobs", "2", "--epochs", "100"], "fit "),
    ],
    ids=["compare", "search"],
)
def test_end_of_the_command_ends_its_processes_too(tmp_path, command, begun):
    argv = [*command, "--data", "digits", "--limit", "100", "--out", str(tmp_path)]
    process = subprocess.Popen(
        [*COMMAND, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lines = iter(process.stdout.readline, "")
    assert any(line.startswith(begun) for line in lines), process.stderr.read()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)  # which waits for all who have the other end
    assert process.returncode == 128 + signal.SIGTERM
    assert len(errors.splitlines()) == 1
