"""Training that is killed, interrupted, or cannot write, and goes on."""

import _thread
import json
import math
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
import pytest
from parts_files import change_file, read_file
from sklearn.datasets import load_digits
from small_networks import small, weights_of

from skcifar import ConvolutionalClassifier, WhiteningClassifier, load_model, make_dense_pipeline
from skcifar.classifiers import NetworkClassifier
from skcifar.persistence._models import ModelFileError


class AtEpoch(keras.callbacks.Callback):
    """Does something when an epoch begins, counted from 0."""

    def __init__(self, epoch, action):
        super().__init__()
        self.epoch = epoch
        self.action = action

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.action()


class KilledError(Exception):
    pass


def kill():
    raise KilledError


def interrupt():
    raise KeyboardInterrupt


@pytest.fixture
def path(tmp_path):
    return tmp_path / "training.safetensors"


def fit_in_two_parts(make, path, X, y, *, at=3, **fit_params):
    """Fit with a checkpoint, killed at an epoch, and fit again alike."""
    broken = make(checkpoint=path, callbacks=[AtEpoch(at, kill)])
    with pytest.raises(KilledError):
        broken.fit(X, y, **fit_params)
    return make(checkpoint=path).fit(X, y, **fit_params)


def assert_same(classifier, other):
    np.testing.assert_array_equal(weights_of(classifier), weights_of(other))
    for name in ("history_", "n_iter_", "best_iter_", "best_validation_score_"):
        np.testing.assert_equal(getattr(classifier, name), getattr(other, name))


# --- going on ---


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"shuffle": False, "class_weight": "balanced"},
        pytest.param(
            {"batch_normalization": True, "dropout": 0.3, "batch_size": 2}, marks=pytest.mark.slow
        ),
        {"learning_rate_schedule": "one-cycle", "weight_decay": 0.01, "label_smoothing": 0.1},
        {"validation_fraction": 0.2},
        {"early_stopping": True, "n_iter_no_change": 2, "tol": 1.0},
        {"random_state": np.random.RandomState(3)},
    ],
)
def test_resumed_training_is_that_of_an_unbroken_one(blobs, path, params):
    def make(**more):
        copied = {"random_state": np.random.RandomState(3)} if "random_state" in params else {}
        return small(**(params | copied | more))

    at = 2 if "early_stopping" in params else 3
    assert_same(fit_in_two_parts(make, path, *blobs, at=at), make().fit(*blobs))


@pytest.mark.slow
@pytest.mark.parametrize("cls", [ConvolutionalClassifier, WhiteningClassifier])
def test_resumed_convolutions_are_those_of_an_unbroken_training(cls, path):
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 8, 8, 3), dtype=np.float32), np.arange(40) % 2
    sizes = {"filters": (4, 4)}
    sizes |= {"strides": (1, 2)} if cls is ConvolutionalClassifier else {}
    make = partial(cls, epochs=4, batch_size=10, random_state=0, **sizes)
    assert_same(fit_in_two_parts(make, path, X, y, at=2), make().fit(X, y))


def test_training_of_unknown_seed_goes_on_with_that_seed(blobs, path):
    def make(**more):
        return small(random_state=None, **more)

    np.random.seed(7)  # noqa: NPY002
    whole = make().fit(*blobs)
    np.random.seed(7)  # noqa: NPY002
    assert_same(fit_in_two_parts(make, path, *blobs), whole)


def test_going_on_leaves_the_random_state_of_others_alone(blobs, path):
    small(random_state=None, checkpoint=path).fit(*blobs)
    np.random.seed(7)  # noqa: NPY002
    before = str(np.random.get_state())  # noqa: NPY002
    small(random_state=None, checkpoint=path).fit(*blobs)
    assert str(np.random.get_state()) == before  # noqa: NPY002


def test_training_that_was_finished_is_not_done_again(blobs, path):
    whole = small(checkpoint=path).fit(*blobs)
    again = small(checkpoint=path, callbacks=[AtEpoch(k, kill) for k in range(9)]).fit(*blobs)
    assert_same(again, whole)


def test_training_that_was_stopped_early_is_not_done_again(blobs, path):
    make = partial(small, early_stopping=True, n_iter_no_change=1, tol=1.0, checkpoint=path)
    whole = make().fit(*blobs)
    assert whole.n_iter_ < whole.epochs
    assert_same(make(callbacks=[AtEpoch(k, kill) for k in range(9)]).fit(*blobs), whole)


def test_more_epochs_follow_those_that_were_done(blobs, path):
    small(checkpoint=path, epochs=2).fit(*blobs)
    assert_same(small(checkpoint=path, epochs=5).fit(*blobs), small(epochs=5).fit(*blobs))


def test_schedule_that_an_earlier_fit_chose_does_not_matter(blobs, path):
    small(checkpoint=path, epochs=2).fit(*blobs)
    classifier = small(max_minutes=1, epochs=1).fit(*blobs)
    assert classifier.chosen_["learning_rate_schedule"] == "linear"
    classifier.set_params(max_minutes=None, epochs=5, checkpoint=path).fit(*blobs)
    assert_same(classifier, small(epochs=5).fit(*blobs))


def test_training_further_is_that_after_an_unbroken_training(blobs, path):
    resumed = fit_in_two_parts(small, path, *blobs).partial_fit(*blobs)
    assert_same(resumed, small().fit(*blobs).partial_fit(*blobs))


def test_warm_start_goes_on_from_its_own_beginning(blobs, path):
    def begun(**more):
        return small(warm_start=True, epochs=2).fit(*blobs).set_params(epochs=4, **more)

    broken = begun(checkpoint=path, callbacks=[AtEpoch(4, kill)])  # two before, two of its own
    with pytest.raises(KilledError):
        broken.fit(*blobs)
    assert_same(begun(checkpoint=path).fit(*blobs), begun().fit(*blobs))


def test_pipeline_writes_and_reads_a_checkpoint(path):
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 4, 3), dtype=np.uint8)
    y = ["cat", "dog", "frog"] * 10

    def make(**more):
        return make_dense_pipeline(hidden_layer_sizes=(6,), epochs=4, random_state=0, **more)

    with pytest.raises(KilledError):
        make(checkpoint=path, callbacks=[AtEpoch(2, kill)]).fit(images, y)
    assert_same(make(checkpoint=path).fit(images, y)[-1], make().fit(images, y)[-1])


FIT_IN_ANOTHER_PROCESS = """
from sklearn.datasets import load_digits
from small_networks import small
X, y = load_digits(return_X_y=True)
small(dropout=0.2, epochs=10_000, checkpoint="training.safetensors").fit(X / 16, y)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_process_leaves_what_another_one_goes_on_from(tmp_path, path):
    with subprocess.Popen([sys.executable, "-c", FIT_IN_ANOTHER_PROCESS], cwd=tmp_path) as process:
        while not path.exists() and process.poll() is None:
            time.sleep(0.1)
        time.sleep(0.5)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    (_, (losses, *_)) = read_file(path)[0]["history"]["dict"]
    X, y = load_digits(return_X_y=True)
    make = partial(small, dropout=0.2, epochs=len(losses) + 1)
    assert_same(make(checkpoint=path).fit(X / 16, y), make().fit(X / 16, y))


# --- what is not of the same training ---


@pytest.mark.parametrize(
    ("params", "reported"),
    [
        ({"learning_rate": 0.01}, r"learning_rate was 0.05 and is 0.01"),
        ({"hidden_layer_sizes": (9,)}, r"hidden_layer_sizes was \(8,\) and is \(9,\)"),
        ({"random_state": 1}, "random_state was 0 and is 1"),
        ({"validation_fraction": 0.5}, "validation_fraction was None and is 0.5"),
    ],
)
def test_checkpoint_of_other_parameters_is_reported(blobs, path, params, reported):
    small(checkpoint=path).fit(*blobs)
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match=f"of another training: {reported}"):
        small(checkpoint=path, **params).fit(*blobs)
    assert path.read_bytes() == before


def test_checkpoint_of_other_samples_is_reported(blobs, path):
    X, y = blobs
    small(checkpoint=path).fit(X, y)
    with pytest.raises(ModelFileError, match="samples is not the same"):
        small(checkpoint=path).fit(X + 1, y)
    with pytest.raises(ModelFileError, match="labels is not the same"):
        small(checkpoint=path).fit(X, 1 - y)


def test_checkpoint_of_more_epochs_is_taken_as_it_is(blobs, path):
    longer = small(checkpoint=path, epochs=5).fit(*blobs)
    with pytest.warns(UserWarning, match="holds 5 epochs .* with epochs=4: nothing is left"):
        assert_same(small(checkpoint=path, epochs=4).fit(*blobs), longer)


def test_finished_training_is_reported_where_progress_is_printed(blobs, path, capsys):
    small(checkpoint=path).fit(*blobs)
    small(checkpoint=path, verbose=2).fit(*blobs)
    assert (
        "holds 5 epochs of this training with epochs=5: nothing is left" in capsys.readouterr().out
    )


def own_network(width, *, activation="relu"):
    """Return a class whose code depends on what encloses it."""

    @dataclass(kw_only=True, eq=False, repr=False)
    class Own(NetworkClassifier):
        make: object = None

        def build_network(self, input_shape, n_classes):
            inputs = keras.Input(input_shape)
            hidden = keras.layers.Dense(width, activation)(inputs)
            return keras.Model(inputs, keras.layers.Dense(n_classes, "softmax")(hidden))

    return Own


def test_checkpoint_of_another_body_of_build_network_is_reported(blobs, path):
    own_network(4)(epochs=1, random_state=0, checkpoint=path).fit(*blobs)
    own_network(4)(epochs=1, random_state=0, checkpoint=path).fit(*blobs)
    with pytest.raises(ModelFileError, match="the code of its class is not the same"):
        own_network(4, activation="tanh")(epochs=1, random_state=0, checkpoint=path).fit(*blobs)


def test_checkpoint_of_another_function_as_parameter_is_reported(blobs, path):
    own = own_network(4)
    own(epochs=1, random_state=0, checkpoint=path, make=lambda x: x + 1).fit(*blobs)
    own(epochs=1, random_state=0, checkpoint=path, make=lambda x: x + 1).fit(*blobs)
    with pytest.raises(ModelFileError, match="make is not the same"):
        own(epochs=1, random_state=0, checkpoint=path, make=lambda x: x + 2).fit(*blobs)


def test_classifier_with_an_init_of_its_own_goes_on(blobs, path):
    class Own(own_network(4)):
        def __init__(self, *, checkpoint=None, epochs=1):
            super().__init__(checkpoint=checkpoint, epochs=epochs, random_state=0)

    Own(checkpoint=path).fit(*blobs)
    assert Own(checkpoint=path, epochs=2).fit(*blobs).n_iter_ == 2


@pytest.mark.parametrize(
    ("callback", "remedy"),
    [
        (lambda path: keras.callbacks.EarlyStopping("loss"), "set early_stopping=True"),
        (lambda path: keras.callbacks.ReduceLROnPlateau("loss"), "set learning_rate_schedule"),
        (lambda path: keras.callbacks.CSVLogger(path / "log"), "set append=True"),
        (lambda path: keras.callbacks.BackupAndRestore(path / "backup"), "leave it out"),
        (
            lambda path: keras.callbacks.ModelCheckpoint(path / "best.keras", save_best_only=True),
            "set early_stopping=True for the best weights",
        ),
    ],
)
def test_callbacks_that_would_begin_anew_are_refused(blobs, path, tmp_path, callback, remedy):
    with pytest.raises(ValueError, match=f"would begin anew .* Instead, {remedy}"):
        small(checkpoint=path, callbacks=[callback(tmp_path)]).fit(*blobs)
    assert not path.exists()


def test_callbacks_that_write_on_may_go_on_from_a_checkpoint(blobs, path, tmp_path):
    for epochs in (2, 3):
        log = keras.callbacks.CSVLogger(tmp_path / "log", append=True)
        small(checkpoint=path, epochs=epochs, callbacks=[log]).fit(*blobs)
    assert len((tmp_path / "log").read_text().splitlines()) == 1 + 3


def test_parameters_that_only_watch_may_change(blobs, path):
    small(checkpoint=path).fit(*blobs)
    small(checkpoint=path, verbose=2, callbacks=[keras.callbacks.Callback()]).fit(*blobs)


def test_model_is_no_checkpoint_and_a_checkpoint_no_model(blobs, path):
    from skcifar import save_model

    classifier = small(checkpoint=path).fit(*blobs)
    with pytest.raises(ModelFileError, match="is a 'checkpoint', not a 'model'"):
        load_model(path)
    save_model(classifier, path)
    with pytest.raises(ModelFileError, match="is a 'model', not a 'checkpoint'"):
        classifier.fit(*blobs)


def test_saved_model_holds_no_path_to_write_to(blobs, path, tmp_path):
    from skcifar import save_model

    save_model(small(checkpoint=path).fit(*blobs), tmp_path / "model")
    assert load_model(tmp_path / "model").checkpoint is None
    assert str(path).encode() not in (tmp_path / "model").read_bytes()


# --- damage ---


def test_long_histories_are_no_text_of_the_header(blobs, path):
    params = {"checkpoint": path, "epochs": 101, "batch_size": 40}
    long = small(**params).fit(*blobs)
    assert len(json.dumps(read_file(path)[0]["history"])) < 200
    assert small(**params).fit(*blobs).history_ == long.history_


def test_names_of_many_classes_are_no_text_of_the_header(path):
    X, y = np.zeros((1000, 2), np.float32), np.array([f"class {k:03d}" for k in range(1000)])
    params = {"hidden_layer_sizes": 1, "epochs": 1, "batch_size": 1000, "checkpoint": path}
    small(**params).fit(X, y)
    assert len(json.dumps(read_file(path)[0])) < 10_000
    assert small(**params).fit(X, y).n_iter_ == 1
    with pytest.raises(ModelFileError, match="classes is not the same"):
        small(**params).fit(X, np.char.add(y, " of others"))


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_checkpoint_cut_short_is_reported(blobs, path, share):
    small(checkpoint=path).fit(*blobs)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelFileError, match=r"training.safetensors is cut short"):
        small(checkpoint=path).fit(*blobs)


@pytest.mark.parametrize(
    "change",
    [
        lambda d, arrays: d.pop("training"),
        lambda d, arrays: d["training"].pop("data"),
        lambda d, arrays: d.update(history={}),
        lambda d, arrays: d["history"]["dict"][1].__setitem__(0, ["0.1"] * 5),
        lambda d, arrays: d["random_state"].__setitem__(1, 625),
        lambda d, arrays: d["random_state"].__setitem__(1, -1),
        lambda d, arrays: d["random_state"].__setitem__(0, "PCG64"),
        lambda d, arrays: d.update(early_stopping={"best": 0.5}),
        lambda d, arrays: d.pop("early_stopping"),
        lambda d, arrays: d.pop("stopped"),
        lambda d, arrays: arrays.update(random_state=np.zeros(3, np.uint32)),
        lambda d, arrays: arrays.pop("optimizer/0000"),
        lambda d, arrays: arrays.update({"variables/0000": np.zeros((4, 9), np.float32)}),
        lambda d, arrays: arrays["variables/0000"].fill(np.nan),
        lambda d, arrays: arrays.update({"variables/0000": arrays["variables/0000"] > 0}),
    ],
)
def test_checkpoint_that_is_damaged_is_reported(blobs, path, change):
    small(checkpoint=path).fit(*blobs)
    change_file(path, change)
    with pytest.raises(ModelFileError, match=r"training.safetensors (is|holds|does)"):
        small(checkpoint=path).fit(*blobs)


@pytest.mark.parametrize(
    "memory",
    [
        {"best": 0.5},
        {"best": 0.5, "n_epochs_without_progress": "1"},
        {"best": "0.5", "n_epochs_without_progress": 1},
        {"best": math.inf, "n_epochs_without_progress": 1},
        {"best": math.nan, "n_epochs_without_progress": 1},
        {"best": 0.5, "n_epochs_without_progress": -1},
        {"best": 0.5, "n_epochs_without_progress": math.inf},
        [],
        None,
    ],
)
def test_damaged_memory_of_early_stopping_is_reported(blobs, path, memory):
    small(checkpoint=path, early_stopping=True).fit(*blobs)
    change_file(path, lambda d, arrays: d.update(early_stopping=memory))
    with pytest.raises(ModelFileError, match=r"training.safetensors (is damaged|does not)"):
        small(checkpoint=path, early_stopping=True).fit(*blobs)


def test_checkpoint_in_no_folder_is_reported_before_training(blobs, tmp_path):
    classifier = small(checkpoint=tmp_path / "no" / "file", callbacks=[AtEpoch(0, kill)])
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*no\. Make it"):
        classifier.fit(*blobs)


def test_full_disk_costs_the_checkpoint_and_not_the_training(blobs, path, monkeypatch):
    whole = small().fit(*blobs)
    write_bytes = type(path).write_bytes
    n_written = []

    def fills_up(self, content):
        n_written.append(write_bytes(self, content))
        if len(n_written) > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", fills_up)
    with pytest.warns(RuntimeWarning, match=r"after epoch [345] \(.*No space left.* still there"):
        classifier = small(checkpoint=path).fit(*blobs)
    monkeypatch.undo()
    assert_same(classifier, whole)
    assert list(path.parent.iterdir()) == [path]
    assert_same(small(checkpoint=path).fit(*blobs), whole)  # from epoch 2, which was written


def test_what_a_killed_process_left_unfinished_is_removed(blobs, path):
    unfinished = path.parent / f".{path.stem}-abcd_123{path.suffix}"
    unfinished.write_bytes(b"half")
    other = path.parent / f".{path.stem}-of-others{path.suffix}"
    other.write_bytes(b"whole")
    small(checkpoint=path).fit(*blobs)
    assert sorted(path.parent.iterdir()) == sorted([path, other])


# --- interrupts ---


def test_interrupted_training_leaves_the_network_of_the_last_epoch(blobs):
    classifier = small(callbacks=[AtEpoch(3, interrupt)])
    with pytest.raises(KeyboardInterrupt, match="in epoch 4; this DenseClassifier is left as it"):
        classifier.fit(*blobs)
    assert_same(classifier, small(epochs=3).fit(*blobs))
    classifier.set_params(callbacks=None).partial_fit(*blobs)
    assert_same(classifier, small(epochs=3).fit(*blobs).partial_fit(*blobs))


def test_signal_in_the_middle_of_an_epoch_leaves_the_network_of_the_last_one(blobs):
    class Signalling(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch % 500 == 3:  # once more if Keras, reading its logs, swallowed the first
                threading.Timer(0.01, _thread.interrupt_main).start()

    classifier = small(epochs=100_000, dropout=0.2, callbacks=[Signalling()])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it
    try:
        with pytest.raises(KeyboardInterrupt, match=r"interrupted in epoch \d+; this"):
            classifier.fit(*blobs)
    finally:
        signal.signal(signal.SIGINT, before)
    assert_same(classifier, small(epochs=classifier.n_iter_, dropout=0.2).fit(*blobs))


def test_interrupt_in_the_first_epoch_leaves_nothing(blobs):
    classifier = small(callbacks=[AtEpoch(0, interrupt)])
    with pytest.raises(KeyboardInterrupt, match="so that this DenseClassifier is not fitted"):
        classifier.fit(*blobs)
    assert not classifier.__sklearn_is_fitted__()


def test_interrupt_of_further_training_leaves_what_was_there_before(blobs):
    whole = small().fit(*blobs)
    classifier = small().fit(*blobs).set_params(callbacks=[AtEpoch(5, interrupt)])
    with pytest.raises(KeyboardInterrupt, match=r"in epoch 6; .* after epoch 5"):
        classifier.partial_fit(*blobs)
    assert_same(classifier, whole)


def test_interrupted_early_stopping_brings_the_best_weights_back(blobs):
    make = partial(small, early_stopping=True, n_iter_no_change=9)
    classifier = make(callbacks=[AtEpoch(3, interrupt)])
    with pytest.raises(KeyboardInterrupt, match=r"with the weights of epoch \d, and can predict"):
        classifier.fit(*blobs)
    assert_same(classifier, make(epochs=3).fit(*blobs))


def test_interrupted_training_goes_on_from_its_checkpoint(blobs, path):
    with pytest.raises(KeyboardInterrupt):
        small(checkpoint=path, callbacks=[AtEpoch(3, interrupt)]).fit(*blobs)
    assert_same(small(checkpoint=path).fit(*blobs), small().fit(*blobs))


def test_training_without_a_checkpoint_writes_nothing(blobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().fit(*blobs)
    assert list(tmp_path.iterdir()) == []
