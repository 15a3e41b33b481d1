"""Keras' own callbacks in the compiled loop, against Keras' own fit."""

import contextlib
import json
from unittest import mock

import keras
import numpy as np
import pytest
import requests
from small_networks import small

from skcifar import load_model, save_model
from skcifar.networks import build_dense_network
from skcifar.training._fit import Training, compile_network, train_network

callbacks = keras.callbacks
X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.eye(2, dtype=np.float32)[np.repeat([0, 1], 20)]
PARAMS = {"batch_size": 16, "shuffle": False}
EPOCHS = 4


class Watcher(callbacks.Callback):
    """Asks its model for all that a callback may ask, at each epoch's end."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        model = self.model
        numbers = {k: float(v) for k, v in model.get_metrics_result().items()}
        self.seen.append((model.metrics_names, self.params, model.stop_training))
        self.seen.append(numbers | {"sum": sum(float(np.sum(w)) for w in model.get_weights())})
        self.seen.append({"steps": int(model.optimizer.iterations), **(logs or {})})


class Measure(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch % 2:
            logs["f1"] = np.float32(epoch)
        logs["confusion"] = np.eye(2)


def network():
    built = build_dense_network((4,), 2, hidden_layer_sizes=(8,))
    with contextlib.suppress(AttributeError):
        rng = np.random.default_rng(0)
        built.set_weights([rng.normal(size=w.shape) for w in built.get_weights()])
    compile_network(built, learning_rate=0.05)
    return built


def outcome(train, make, folder, capsys):
    """Train, and return what a callback printed, wrote, saw, sent and left."""
    folder.mkdir()
    callback, model = make(folder), network()
    sent = []
    with mock.patch.object(requests, "post", lambda *args, **kw: sent.append(kw["json"])):
        history = train(model, callback)
    weights = np.concatenate([w.ravel() for w in model.get_weights()])
    printed = capsys.readouterr().out.replace(str(folder), "")
    files = {file.name: _content(file) for file in sorted(folder.iterdir())}
    return history, weights, printed, files, sent, getattr(callback, "seen", [])


def _content(file):
    if file.suffix == ".keras":
        return [w.ravel().tolist() for w in keras.models.load_model(file).get_weights()]
    if file.suffix == ".h5":
        read = network()
        read.load_weights(file)
        return [np.asarray(v).ravel().tolist() for v in (*read.weights, *read.optimizer.variables)]
    return file.read_text().splitlines()[0]


def assert_alike(ours, theirs):
    """Equal, but for how float32 is rounded."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        ours, theirs = list(ours.values()), [theirs[name] for name in ours]
    if isinstance(ours, list | tuple):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            assert_alike(mine, other)
    elif isinstance(ours, str | bool):
        assert ours == theirs
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


BY_EPOCH = {
    "nothing but what is asked": lambda folder: Watcher(),
    "checkpoint": lambda folder: callbacks.ModelCheckpoint(
        folder / "{epoch}.keras", "accuracy", save_best_only=True
    ),
    "weights": lambda folder: callbacks.ModelCheckpoint(
        folder / "{epoch}.weights.h5", save_weights_only=True, verbose=1
    ),
    "csv": lambda folder: callbacks.CSVLogger(folder / "log.csv"),
    "stopping": lambda folder: callbacks.EarlyStopping(
        "accuracy", min_delta=2, patience=1, restore_best_weights=True, start_from_epoch=1
    ),
    "plateau": lambda folder: callbacks.ReduceLROnPlateau(
        "accuracy", min_delta=2, patience=1, verbose=1
    ),
    "rate": lambda folder: callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1),
    "lambda": lambda folder: callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: print(epoch, sorted(logs)),
        on_train_end=lambda logs: print("end", sorted(logs)),
    ),
    "progress": lambda folder: callbacks.ProgbarLogger(),
    "remote": lambda folder: callbacks.RemoteMonitor(send_as_json=True),
}


QUICK = {"nothing but what is asked", "checkpoint", "stopping"}  # where all else is slow


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in BY_EPOCH],
)
def test_callback_by_epoch_does_as_under_keras(name, tmp_path, capsys):
    def by_us(model, callback):
        training = Training(epochs=EPOCHS, callbacks=[callback])
        with mock.patch.object(model, "fit", side_effect=AssertionError):
            return train_network(model, X, Y, training=training, **PARAMS)

    def by_keras(model, callback):
        return model.fit(X, Y, **PARAMS, epochs=EPOCHS, callbacks=[callback], verbose=0).history

    if keras.config.backend() != "tensorflow":
        pytest.skip("there is a compiled loop on TensorFlow alone")
    ours = outcome(by_us, BY_EPOCH[name], tmp_path / "ours", capsys)
    theirs = outcome(by_keras, BY_EPOCH[name], tmp_path / "theirs", capsys)
    assert_alike(ours, theirs)


BY_BATCH = {
    "nan": lambda folder: callbacks.TerminateOnNaN(),
    "backup": lambda folder: callbacks.BackupAndRestore(folder, delete_checkpoint=False),
    "batches": lambda folder: callbacks.ModelCheckpoint(folder / "{batch}.keras", save_freq=5),
}


@pytest.mark.parametrize(
    "name",
    [
        "nan",
        pytest.param("backup", marks=pytest.mark.slow),
        pytest.param("batches", marks=pytest.mark.slow),
    ],
)
def test_callback_by_batch_takes_keras_own_fit_and_does_as_under_it(name, tmp_path, capsys):
    def by_us(model, callback):
        training = Training(epochs=EPOCHS, callbacks=[callback])
        with mock.patch.object(model, "fit", wraps=model.fit) as fit:
            history = train_network(model, X, Y, training=training, **PARAMS)
        assert fit.call_count == 1
        return history

    def by_keras(model, callback):
        return model.fit(X, Y, **PARAMS, epochs=EPOCHS, callbacks=[callback], verbose=0).history

    ours = outcome(by_us, BY_BATCH[name], tmp_path / "ours", capsys)
    theirs = outcome(by_keras, BY_BATCH[name], tmp_path / "theirs", capsys)
    assert_alike(ours, theirs)


@pytest.mark.slow
def test_backup_goes_on_where_training_was_broken_off(blobs, tmp_path):
    class Break(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError

    def backup():
        return callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(RuntimeError):
        small(shuffle=False, callbacks=[backup(), Break()]).fit(*blobs)
    resumed = small(shuffle=False, callbacks=[backup()]).fit(*blobs)
    unbroken = small(shuffle=False, callbacks=[callbacks.TerminateOnNaN()]).fit(*blobs)
    assert resumed.history_["loss"] == unbroken.history_["loss"][2:]


def test_nan_prints_its_batch_and_stops_at_it_as_under_keras(blobs, capsys):
    class Batches(callbacks.Callback):
        seen = ()

        def on_train_batch_end(self, batch, logs=None):
            self.seen = (*self.seen, batch)

    batches = Batches()
    watching = [callbacks.TerminateOnNaN(), batches]
    huge = np.full((40, 4), 1e38, np.float32)
    with pytest.raises(ValueError, match="loss became inf in epoch 1"):
        small(batch_size=10, callbacks=watching).fit(huge, blobs[1])
    assert "Batch 0: Invalid loss, terminating training" in capsys.readouterr().out
    assert batches.seen == (0,)


@pytest.mark.parametrize("by_batch", [False, True])
def test_validation_is_a_test_that_callbacks_are_told_of(by_batch, blobs):
    class Teller(callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.told = []

        def on_epoch_begin(self, epoch, logs=None):
            self.told.append("epoch")

        def on_test_begin(self, logs=None):
            self.told.append("test")

        def on_test_end(self, logs=None):
            self.told.append(logs)

        def on_epoch_end(self, epoch, logs=None):
            self.told.append({name[4:]: logs[name] for name in logs if name[:4] == "val_"})

    teller = Teller()
    also = [callbacks.TerminateOnNaN()] if by_batch else []
    model = small(epochs=2, callbacks=[teller, *also]).fit(*blobs, X_val=blobs[0], y_val=blobs[1])
    told = [
        {"loss": loss, "accuracy": accuracy}
        for loss, accuracy in zip(
            model.history_["val_loss"], model.history_["val_accuracy"], strict=True
        )
    ]
    assert teller.told == [
        *("epoch", "test", told[0], told[0]),
        *("epoch", "test", told[1], told[1]),
    ]


@pytest.mark.parametrize(
    ("callback", "schedule", "message"),
    [
        (callbacks.SwapEMAWeights(), "constant", "moving averages"),
        (callbacks.ReduceLROnPlateau(), "cosine", "ReduceLROnPlateau in callbacks sets"),
        (callbacks.LearningRateScheduler(float), "one-cycle", "learning_rate_schedule='one-cycle'"),
    ],
)
def test_callback_that_cannot_work_is_refused_before_training(blobs, callback, schedule, message):
    with pytest.raises(ValueError, match=message):
        small(callbacks=[callback], learning_rate_schedule=schedule).fit(*blobs)


def test_history_has_the_rate_that_a_schedule_comes_to(blobs):
    rates = small(learning_rate_schedule="cosine", epochs=4).fit(*blobs).history_["learning_rate"]
    np.testing.assert_allclose(rates, 0.025 * (1 + np.cos(np.pi * np.arange(1, 5) / 4)), atol=1e-8)


def test_history_keeps_each_number_that_callbacks_measure(blobs, tmp_path):
    model = small(epochs=3, callbacks=[Measure()]).fit(*blobs)
    np.testing.assert_array_equal(model.history_["f1"], [np.nan, 1, np.nan])
    assert "confusion" not in model.history_
    save_model(model, tmp_path / "model.safetensors")
    read = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(read.history_["f1"], model.history_["f1"])


def test_checkpoint_goes_on_with_rates_and_measures(blobs, tmp_path):
    def fitted(epochs, path):
        rates = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
        params = {"callbacks": [rates, Measure()], "epochs": epochs, "checkpoint": path}
        return small(**params).fit(*blobs).history_

    fitted(2, tmp_path / "a")
    resumed, whole = fitted(4, tmp_path / "a"), fitted(4, tmp_path / "b")
    assert json.dumps(resumed) == json.dumps(whole)
