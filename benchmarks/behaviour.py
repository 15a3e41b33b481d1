"""What estimators of scikit-learn do, and which peers do it.

python -m benchmarks.behaviour [--who NAME ...]

Each peer is the article's network as a classifier, asked in a process of its own. Prints a table.
"""

import argparse
import json
import os
import subprocess
import sys
import warnings

import numpy as np

HIDDEN_LAYER_SIZES = (200, 150)


def network_of(n_classes):
    import keras

    def build(shape):
        inputs = x = keras.Input(shape)
        if len(shape) > 1:
            x = keras.layers.Flatten()(x)
        for size in HIDDEN_LAYER_SIZES:
            x = keras.layers.Dense(size, activation="relu")(x)
        outputs = keras.layers.Dense(n_classes, activation="softmax")(x)
        return keras.Model(inputs, outputs)

    return build


def scikeras_network(meta):
    return network_of(meta["n_classes_"])(meta["X_shape_"][1:])


def keras_network(X, y):
    import keras

    network = network_of(y.shape[1])(X.shape[1:])
    network.compile(keras.optimizers.Adam(5e-4), "categorical_crossentropy")
    return network


def make_skcifar(n_classes):
    from skcifar import DenseClassifier

    return DenseClassifier(random_state=0)


def make_scikeras(n_classes):
    from scikeras.wrappers import KerasClassifier

    return KerasClassifier(
        scikeras_network,
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        optimizer__learning_rate=5e-4,
        epochs=10,
        random_state=0,
        verbose=0,
    )


def make_keras_wrapper(n_classes):
    from keras.wrappers import SKLearnClassifier

    return SKLearnClassifier(keras_network, fit_kwargs={"epochs": 10, "verbose": 0})


def make_skorch(n_classes):
    import torch
    from skorch import NeuralNetClassifier

    global AsFloat32  # where pickle looks for it

    class AsFloat32(torch.nn.Module):
        def forward(self, X):
            return X.float()

    layers = [AsFloat32(), torch.nn.Flatten()]
    for size in HIDDEN_LAYER_SIZES:
        layers += [torch.nn.LazyLinear(size), torch.nn.ReLU()]
    module = torch.nn.Sequential(*layers, torch.nn.LazyLinear(n_classes))
    return NeuralNetClassifier(
        module,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=5e-4,
        batch_size=32,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def make_mlp(n_classes):
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        HIDDEN_LAYER_SIZES, batch_size=32, learning_rate_init=5e-4, max_iter=10, random_state=0
    )


PEERS = {
    "skcifar": make_skcifar,
    "scikeras": make_scikeras,
    "Keras' SKLearnClassifier": make_keras_wrapper,
    "skorch": make_skorch,
    "MLPClassifier": make_mlp,
}


def failed_checks(make):
    """Count the checks of check_estimator that fail, and all that were made."""
    from sklearn.utils.estimator_checks import check_estimator

    results = check_estimator(make(n_classes=3), on_skip=None, on_fail=None)
    made = [result for result in results if result["status"] != "skipped"]
    failed = [result["check_name"] for result in made if result["status"] != "passed"]
    print(*failed, sep="\n", file=sys.stderr)
    return f"{len(failed)} of {len(made)}"


def takes_pictures(make):
    X, y = pictures()
    return make(n_classes=3).fit(X, y).predict(X).shape == y.shape


def has_probabilities(make):
    X, y = rows()
    return make(n_classes=3).fit(X, y).predict_proba(X[:1]).shape == (1, 3)


def takes_names(make):
    X, y = rows()
    names = np.array(["cat", "dog", "frog"])
    return set(make(n_classes=3).fit(X, names[y]).predict(X)) <= set(names)


def is_classifier(make):
    import sklearn.base

    return sklearn.base.is_classifier(make(n_classes=3))


def repeats(make):
    from sklearn.base import clone

    X, y = rows()
    classifier = make(n_classes=3)
    if "random_state" not in classifier.get_params():
        return False
    first, second = (clone(classifier).fit(X, y).predict_proba(X) for _ in range(2))
    return bool((first == second).all())


def ignores_neighbours(make):
    X, y = rows()
    classifier = make(n_classes=3).fit(X, y)
    together = classifier.predict_proba(X)
    return all((classifier.predict_proba(X[i : i + 1])[0] == together[i]).all() for i in range(20))


def has_callbacks(make):
    return hasattr(make(n_classes=3), "set_callbacks")


QUESTIONS = {
    "checks of `check_estimator` that fail": failed_checks,
    "`is_classifier`, so that `cv=5` keeps the shares of classes": is_classifier,
    "fits pictures, (n_samples, height, width, n_channels)": takes_pictures,
    "`predict_proba`, of one sample too": has_probabilities,
    "names as labels": takes_names,
    "`random_state` repeats a fit, bit for bit": repeats,
    "a sample's probabilities do not depend on its neighbours, bit for bit": ignores_neighbours,
    "scikit-learn's callbacks (`ProgressBar`)": has_callbacks,
}


def pictures():
    """Make pictures of 3 classes that are easy to tell apart."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    X = rng.random((120, 8, 8, 3), dtype=np.float32) + y[:, None, None, None].astype(np.float32)
    return X, y


def rows():
    X, y = pictures()
    return X.reshape(len(X), -1), y


def answer(question, who):
    """Ask a peer in this process; what raises is a no, with its reason on standard error."""
    warnings.simplefilter("ignore")
    try:
        return QUESTIONS[question](PEERS[who])
    except Exception as error:
        print(who, question, type(error).__name__, str(error).splitlines()[:1], file=sys.stderr)
        return False


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.behaviour",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--who", nargs="+", choices=PEERS, default=tuple(PEERS))
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        (who,) = options.who
        print(json.dumps({question: answer(question, who) for question in QUESTIONS}))
        return
    answers = {}
    for who in options.who:
        command = [sys.executable, "-m", "benchmarks.behaviour", "--one", "--who", who]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        answers[who] = json.loads(done.stdout.splitlines()[-1])
    print("| |", " | ".join(answers), "|")
    print("|---" + "|:-:" * len(answers) + "|")
    for question in QUESTIONS:
        cells = ({True: "yes", False: "no"}.get(a[question], a[question]) for a in answers.values())
        print(f"| {question} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
