"""How accurate networks get on CIFAR-10 in so many minutes of ``fit``.

python -m benchmarks.accuracy [--minutes 1 5 15 60] [--who NAME ...] [--picture FILE]

Each training is a process of its own, one after another; take the machine for yourself meanwhile.
Prints a table, and draws it. With ``--results FILE``, what is there is not trained again.
"""

import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

import numpy as np

from benchmarks.tasks import PICTURES, pictures, write_pictures

MINUTES = (1, 5, 15, 60)
SEEDS = {1: 3, 5: 3}  # of longer trainings one
OURS = ("whitening", "convolutional", "dense")
OTHERS = ("Keras' example", "MLPClassifier")
MINUTES_OF_OTHERS = (5, 15)


def train_ours(network, minutes, seed, X, y):
    from skcifar.pipelines import PIPELINES

    begin = monotonic()
    pipeline = PIPELINES[network](max_minutes=minutes, random_state=seed).fit(X, y)
    seconds = monotonic() - begin
    classifier = pipeline["classify"]
    epochs = classifier.value_of("epochs")
    n_operations = epochs * len(X) * operations_of_training(classifier.model_)
    chosen = {name: classifier.value_of(name) for name in ("batch_size", "learning_rate")}
    if network == "whitening":
        chosen["filters"] = classifier.value_of("filters")
    measured = {"epochs": epochs, "operations": n_operations, "chosen": chosen}
    return pipeline.predict, measured | {"minutes": seconds / 60}


def train_keras_example(minutes, seed, X, y):
    """Train the network of Keras' example for CIFAR-10, without its changes of the pictures."""
    import keras
    from keras import layers

    class Time(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if monotonic() - begin > 60 * minutes:
                self.model.stop_training = True

    begin = monotonic()
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input(X.shape[1:]), layers.Rescaling(1 / 255)])
    for n_filters in (32, 64):
        network.add(layers.Conv2D(n_filters, 3, padding="same", activation="relu"))
        network.add(layers.Conv2D(n_filters, 3, activation="relu"))
        network.add(layers.MaxPooling2D())
        network.add(layers.Dropout(0.25))
    network.add(layers.Flatten())
    network.add(layers.Dense(512, activation="relu"))
    network.add(layers.Dropout(0.5))
    network.add(layers.Dense(10, activation="softmax"))
    network.compile(keras.optimizers.RMSprop(1e-4), "sparse_categorical_crossentropy")
    network.fit(X, y, batch_size=32, epochs=1000, verbose=0, callbacks=[Time()])
    seconds = monotonic() - begin
    epochs = int(network.optimizer.iterations) * 32 / len(X)
    n_operations = epochs * len(X) * operations_of_training(network)
    predict = lambda X: network.predict(X, verbose=0).argmax(axis=1)  # noqa: E731
    measured = {"epochs": epochs, "operations": n_operations, "minutes": seconds / 60}
    return predict, measured


def train_mlp(minutes, seed, X, y):
    """Train scikit-learn's network of the article's size for as many epochs as there is time."""
    from sklearn.neural_network import MLPClassifier

    def rows(X):
        return X.reshape(len(X), -1).astype(np.float32) / 255

    begin = monotonic()
    network = MLPClassifier((200, 150), batch_size=32, learning_rate_init=5e-4, random_state=seed)
    X, epochs = rows(X), 0
    seconds = 0.0
    while epochs == 0 or seconds * (epochs + 1) / epochs < 60 * minutes:  # another one fits
        network.partial_fit(X, y, classes=np.unique(y))
        epochs += 1
        seconds = monotonic() - begin
    n_operations = 6 * epochs * len(X) * sum(w.size for w in network.coefs_)
    measured = {"epochs": epochs, "operations": n_operations, "minutes": seconds / 60}
    return lambda X: network.predict(rows(X)), measured


def operations_of_training(network):
    """Count additions and multiplications in matrix products for a picture, there and back."""
    total = 0
    for layer in network.layers:
        if hasattr(layer, "kernel_size"):
            total += math.prod(layer.kernel.shape) * int(np.prod(layer.output.shape[1:3]))
        elif hasattr(layer, "units"):
            total += math.prod(layer.kernel.shape)
    return 6 * total


def run(who, minutes, seed):
    """Train and score in this process; return what was measured."""
    X, y = pictures("train")
    X_test, y_test = pictures("test")
    if who in OURS:
        predict, measured = train_ours(who, minutes, seed, X, y)
    elif who == "MLPClassifier":
        predict, measured = train_mlp(minutes, seed, X, y)
    else:
        predict, measured = train_keras_example(minutes, seed, X, y)
    return measured | {"accuracy": float(np.mean(predict(X_test) == y_test))}


def run_apart(who, minutes, seed, folder):
    """Train and score in a process of its own."""
    environment = os.environ | {PICTURES: folder, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "benchmarks.accuracy", "--one", who, str(minutes), str(seed)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def summarize(runs):
    """Return a row of the table, of all seeds of a network and a time."""
    accuracies = [run["accuracy"] for run in runs]
    deviation = f" ± {statistics.stdev(accuracies):.4f}" if len(runs) > 1 else ""
    spent = max(run["minutes"] for run in runs)
    epochs, operations = (
        statistics.mean(r[name] for r in runs) for name in ("epochs", "operations")
    )
    return (
        f"{statistics.mean(accuracies):.4f}{deviation} | {spent:.2f} | {epochs:.1f} |"
        f" {operations / 1e15:.3f} |"
    )


def draw(results, path):
    """Draw accuracy over minutes."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    by_network = {}
    for (who, minutes), runs in results.items():
        mean = statistics.mean(run["accuracy"] for run in runs)
        by_network.setdefault(who, []).append((minutes, mean))
    for (who, points), marker in zip(by_network.items(), itertools.cycle("osD^vP"), strict=False):
        x, y = zip(*sorted(points), strict=True)
        axes.plot(x, y, "--" if who in OTHERS else "-", marker=marker, label=who)
        axes.annotate(
            f"{y[-1]:.0%}", (x[-1], y[-1]), (6, 5), textcoords="offset points", va="center"
        )
    axes.set_xscale("log")
    axes.set_xticks(MINUTES, [str(minutes) for minutes in MINUTES])
    axes.minorticks_off()
    axes.set_xlim(right=90)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel="minutes of fit on two cores", ylabel="accuracy on 10,000 test pictures")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=3, fontsize="small")
    figure.savefig(path, dpi=150)


def main(arguments=None):
    options = parse(arguments)
    if options.one:
        who, minutes, seed = options.one
        print(json.dumps(run(who, float(minutes), int(seed))))
        return
    stored = Path(options.results) if options.results else None
    found = json.loads(stored.read_text()) if stored and stored.exists() else {}
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(folder)
        for minutes in options.minutes:
            for who in options.who:
                if who in OTHERS and minutes not in MINUTES_OF_OTHERS:
                    continue
                for seed in range(SEEDS.get(minutes, 1) if who == "whitening" else 1):
                    name = f"{who} {minutes:g} {seed}"
                    if name not in found:
                        print(name, file=sys.stderr)
                        found[name] = run_apart(who, minutes, seed, folder)
                        if stored:
                            stored.write_text(json.dumps(found, indent=1))
                    results.setdefault((who, minutes), []).append(found[name])
    print("| minutes | network | accuracy | minutes of fit | epochs | 10^15 operations |")
    print("|--:|---|--:|--:|--:|--:|")
    for (who, minutes), runs in results.items():
        print(f"| {minutes:g} | {who} | {summarize(runs)}")
    if options.picture:
        draw(results, options.picture)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--minutes", nargs="+", type=float, default=MINUTES)
    parser.add_argument("--who", nargs="+", choices=(*OURS, *OTHERS), default=(*OURS, *OTHERS))
    parser.add_argument("--picture", metavar="FILE", help="where to draw accuracy over minutes")
    parser.add_argument("--results", metavar="FILE", help="where results are kept, as JSON")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
