"""The ``skcifar`` command: train, evaluate and predict from the terminal.

What is slow to import is imported by the subcommand that needs it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager

from . import __version__

N_BEST = 3  # classes that ``skcifar predict`` tells for each picture


def main(argv=None):
    """Run the command.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments, by default those of the process.

    Returns
    -------
    exit_code : int
        0 when all was done, 2 after a mistake of the user's, 130 when interrupted.
    """
    arguments = _build_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError) as error:
        _complain(error)
        return 2
    except KeyboardInterrupt:
        _complain("interrupted")
        return 130


def _train(arguments):
    from rich.console import Console

    with _quiet_tensorflow():
        from ._progress import EpochProgress
        from .pipelines import make_dense_pipeline
        from .runs import RUN_FILES, prepare_run_folder, write_run

    console = Console(highlight=False, soft_wrap=True)
    folder = prepare_run_folder(arguments.out)
    source, (X_train, y_train), (X_test, y_test) = _load_train_test(arguments)
    console.print(
        f"{source}: {len(X_train):,} training and {len(X_test):,} test pictures of"
        f" {len(set(y_train))} classes"
    )

    pipeline = make_dense_pipeline(
        hidden_layer_sizes=arguments.hidden_layer_sizes,
        learning_rate=arguments.learning_rate,
        batch_size=arguments.batch_size,
        epochs=arguments.epochs,
        random_state=arguments.random_state,
    )
    begin = time.perf_counter()
    with EpochProgress(console, arguments.epochs) as progress:
        pipeline.set_params(classify__callbacks=[progress]).fit(X_train, y_train)
    fit_seconds = time.perf_counter() - begin
    pipeline.set_params(classify__callbacks=None)

    train_loss, train_accuracy, _ = _score(pipeline, X_train, y_train)
    test_loss, test_accuracy, y_pred = _score(pipeline, X_test, y_test)
    metrics = {
        "data": source,
        "n_train": len(X_train),
        "n_test": len(X_test),
        "n_parameters": pipeline["classify"].model_.count_params(),
        "epochs": arguments.epochs,
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
        "fit_seconds": fit_seconds,
    }
    write_run(
        folder,
        pipeline,
        metrics,
        X_test=X_test,
        y_test=y_test,
        y_pred=y_pred,
        random_state=arguments.random_state,
    )
    console.print(
        f"\n{metrics['n_parameters']:,} parameters, trained in {fit_seconds:.1f} s"
        f"\ntraining   loss {train_loss:.4f}   accuracy {train_accuracy:.4f}"
        f"\ntest       loss {test_loss:.4f}   accuracy {test_accuracy:.4f}"
        f"\n\n{folder} holds {', '.join(RUN_FILES)}"
    )
    return 0


def _evaluate(arguments):
    from sklearn.metrics import classification_report

    model, image_size = _load_model(arguments.model)
    if arguments.data == "auto":
        arguments.data = _source_of(model.classes_)
    source, train, test = _load_train_test(arguments, image_size)
    X, y = train if arguments.subset == "train" else test
    unknown = sorted(set(y) - set(model.classes_))
    if unknown:
        raise ValueError(
            f"{source} has pictures of {', '.join(unknown)}, which {arguments.model} was not"
            f" trained on. Give pictures of {', '.join(model.classes_)}."
        )
    loss, accuracy, y_pred = _score(model, X, y)
    print(f"{source}: {len(X):,} {arguments.subset} pictures")
    print(f"[loss, accuracy]: [{loss:.4f}, {accuracy:.4f}]\n")
    print(classification_report(y, y_pred, digits=3, zero_division=0))
    return 0


def _predict(arguments):
    from .datasets import DatasetError, read_picture

    model, image_size = _load_model(arguments.model)
    told = []
    for name in arguments.pictures:
        try:
            picture = read_picture(name, image_size=image_size)
        except DatasetError as error:
            _complain(error)
            continue
        probabilities = model.predict_proba(picture[None])[0]
        best = [
            {"class": str(model.classes_[i]), "probability": float(probabilities[i])}
            for i in probabilities.argsort()[::-1][:N_BEST]
        ]
        told.append({"picture": name, "classes": best})

    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        for row in told:
            best = (f"{c['class']} {c['probability']:.3f}" for c in row["classes"])
            print(f"{row['picture']}:  ", "   ".join(best))
    return 0 if len(told) == len(arguments.pictures) else 2


def _load_train_test(arguments, image_size=(32, 32)):
    """Return the name of the source, training pictures with labels, test pictures likewise."""
    from .datasets import DownloadError, load_train_test

    options = {"data_home": arguments.data_home, "limit": arguments.limit}
    if arguments.data != "auto":
        parts = load_train_test(arguments.data, image_size=image_size, **options)
        return arguments.data, *parts
    try:
        # one round is enough where there is something to fall back on
        return "cifar10", *load_train_test("cifar10", n_retries=0, **options)
    except DownloadError as error:
        _warn_that_digits_stand_in(error, arguments.data_home)
        return "digits", *load_train_test("digits", **options)


def _warn_that_digits_stand_in(error, data_home):
    from rich.console import Console
    from rich.markup import escape
    from rich.panel import Panel
    from sklearn.datasets import get_data_home

    Console(stderr=True).print(
        Panel(
            "CIFAR-10 is not on this machine and could not be downloaded, so [bold]the network"
            " learns scikit-learn's handwritten digits instead[/bold].\n\nTo get CIFAR-10, run"
            " this again where the internet can be reached, or put cifar-10-binary.tar.gz from"
            " https://www.cs.toronto.edu/~kriz/cifar.html into the folder"
            f" {escape(get_data_home(data_home))}, or name the folder that holds it by"
            f" --data-home.\n\n[dim]{escape(str(error))}[/dim]",
            title="Not CIFAR-10",
            style="yellow",
        )
    )


def _load_model(path):
    """Return a model for pictures, and their height and width."""
    with _quiet_tensorflow():
        from .persistence import load_model
    from sklearn.pipeline import Pipeline

    model = load_model(path)
    shape = (model[0] if isinstance(model, Pipeline) else model).sample_shape_
    if len(shape) != 3 or shape[-1] != 3:
        raise ValueError(
            f"{path} takes samples of shape {shape}, not colour pictures. Give a model that was"
            " trained on pictures of shape (height, width, 3)."
        )
    return model, shape[:2]


def _source_of(classes):
    """Name the data set that a model was trained on, by its classes."""
    from .datasets import CIFAR10_CLASS_NAMES, load_digit_images

    if set(classes) == set(CIFAR10_CLASS_NAMES):
        return "cifar10"
    if set(classes) == set(load_digit_images().target_names):
        return "digits"
    raise ValueError(
        "The model was trained on pictures of your own: name their folder by --data FOLDER."
    )


def _score(model, X, y):
    """Return the article's pair of loss and accuracy, and the predictions behind it."""
    from sklearn.metrics import accuracy_score, log_loss

    probabilities = model.predict_proba(X)
    y_pred = model.classes_[probabilities.argmax(axis=1)]
    loss = log_loss(y, probabilities, labels=model.classes_)
    return float(loss), float(accuracy_score(y, y_pred)), y_pred


@contextmanager
def _quiet_tensorflow():
    """Import TensorFlow without its start-up chatter.

    It writes that to the process' standard error from C++ before any setting of its own is read,
    so the descriptor itself is turned away for the time of the import.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            import tensorflow  # noqa: F401

            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def _complain(error):
    print(f"skcifar: error: {' '.join(str(error).split())}", file=sys.stderr)


class _OneLineParser(argparse.ArgumentParser):
    """Tells a mistake in one line instead of the whole usage."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _build_parser():
    parser = _OneLineParser(
        prog="skcifar",
        description="Train a neural network on pictures, score it, and ask it about new ones.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        default="auto",
        metavar="auto|cifar10|digits|FOLDER",
        help="pictures: CIFAR-10, scikit-learn's handwritten digits, or a folder of your own that"
        " holds one folder a class (or train and test, each of that form); a fifth of a folder"
        " is kept for testing (default: %(default)s)",
    )
    data.add_argument(
        "--data-home",
        metavar="DIR",
        help="where CIFAR-10 is or is to be kept (default: scikit-learn's data folder)",
    )
    data.add_argument(
        "--limit",
        type=_positive_int,
        metavar="N",
        help="use no more than N training and N test pictures (default: all)",
    )

    command = commands.add_parser(
        "train",
        parents=[data],
        help="train the dense network and write the model, its numbers and its pictures",
        description="Train the dense network. auto, the default, is CIFAR-10 where it is at hand"
        " or can be downloaded (170 MB), otherwise the digits.",
    )
    command.add_argument(
        "--epochs",
        type=_positive_int,
        default=10,
        metavar="N",
        help="passes over the pictures (default: %(default)s)",
    )
    command.add_argument(
        "--hidden-layer-sizes",
        type=_sizes,
        default=(200, 150),
        metavar="N,N",
        help="units of each hidden layer (default: 200,150)",
    )
    command.add_argument(
        "--learning-rate",
        type=_positive_float,
        default=5e-4,
        metavar="R",
        help="step size of the Adam optimizer (default: %(default)s)",
    )
    command.add_argument(
        "--batch-size",
        type=_positive_int,
        default=32,
        metavar="N",
        help="pictures a step (default: %(default)s)",
    )
    command.add_argument(
        "--random-state",
        type=_seed,
        default=0,
        metavar="N",
        help="seed; the same gives the same network (default: %(default)s)",
    )
    command.add_argument(
        "--out",
        default="skcifar-run",
        metavar="DIR",
        help="folder to write to (default: %(default)s)",
    )
    command.set_defaults(run=_train)

    command = commands.add_parser(
        "evaluate",
        parents=[data],
        help="score a saved model",
        description="Score a saved model. auto, the default, is the data set that has the model's"
        " classes.",
    )
    command.add_argument("model", metavar="MODEL", help="a file that skcifar train wrote")
    command.add_argument(
        "--subset",
        choices=("train", "test"),
        default="test",
        help="which of the pictures (default: %(default)s)",
    )
    command.set_defaults(run=_evaluate)

    command = commands.add_parser(
        "predict", help="tell what pictures show", description="Tell what pictures show."
    )
    command.add_argument("model", metavar="MODEL", help="a file that skcifar train wrote")
    command.add_argument(
        "pictures", metavar="PICTURE", nargs="+", help="picture files of any format and size"
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_predict)
    return parser


def _positive_int(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be an int of at least 1, got {text}")
    return value


def _positive_float(text):
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return value


def _seed(text):
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"must be an int from 0 to 2**32 - 1, got {text}")
    return value


def _sizes(text):
    try:
        return tuple(_positive_int(size) for size in text.split(","))
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(
            f"must be ints of at least 1 with commas between, such as 200,150, got {text!r}"
        ) from None
