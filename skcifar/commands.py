"""What each subcommand of ``skcifar`` does.

What is slow to import is imported by the subcommand that needs it.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext

N_BEST = 3  # classes that ``predict`` tells for each picture


def train(arguments):
    """Train the dense pipeline, score it, and write what came out.

    Parameters
    ----------
    arguments : argparse.Namespace
        What was typed, as for every function here.

    Returns
    -------
    exit_code : int
        0 when all was done.
    """
    import matplotlib

    with _quiet_tensorflow():
        from ._progress import EpochProgress
        from .pipelines import make_dense_pipeline
        from .runs import RUN_FILES, prepare_run_folder, write_run

    matplotlib.use("Agg")  # files only; a window would need a screen
    console = _console()
    source, (X_train, y_train), (X_test, y_test) = _load_train_test(arguments)
    folder = prepare_run_folder(arguments.out)
    _tell_data(console, source, y_train, y_test)

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


def search(arguments):
    """Search for good parameters of the dense pipeline, and write what came out."""
    import matplotlib

    with _quiet_tensorflow():
        from . import _searches
        from ._progress import SearchProgress
        from .pipelines import make_dense_pipeline
        from .runs import prepare_run_folder

    matplotlib.use("Agg")
    console = _console()
    pipeline = make_dense_pipeline(epochs=arguments.epochs, random_state=arguments.random_state)
    preset = arguments.preset or "quick"
    grids = _searches.check_grids(
        _searches.read_grid(arguments.grid) if arguments.grid else preset,
        pipeline,
        source=arguments.grid or f"preset {preset}",
        halving=arguments.halving,
    )
    source, (X_train, y_train), (X_test, y_test) = _load_train_test(arguments)
    folder = prepare_run_folder(arguments.out)
    _tell_data(console, source, y_train, y_test)
    search = _searches.make_search(
        pipeline,
        grids,
        halving=arguments.halving,
        cv=arguments.cv,
        n_jobs=arguments.jobs,
        scheduler=arguments.scheduler,
        journal=folder / _searches.JOURNAL,
    )
    plan, n_fits = _searches.tell_plan(search)
    console.print(plan)

    begin = time.perf_counter()
    progress = SearchProgress(console, n_fits=n_fits, n_folds=arguments.cv)
    # other processes on this machine chatter too when they begin, and interrupted ones at the end
    alone = arguments.jobs == 1 or arguments.scheduler
    try:
        with nullcontext() if alone else _quiet_tensorflow(), progress:
            _searches.fit_search(search, X_train, y_train, on_result=progress)
    except KeyboardInterrupt:
        complain(
            f"interrupted, {progress.n_done} of {n_fits} fits are in {search.journal}. The same"
            " command goes on from there."
        )
        return 130
    except ImportError as error:  # of Dask
        complain(error)
        return 2
    seconds = time.perf_counter() - begin

    test_loss, test_accuracy, _ = _score(search.best_estimator_, X_test, y_test)
    metrics = {
        "data": source,
        "n_train": len(X_train),
        "n_test": len(X_test),
        "n_fits": n_fits,
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
        "seconds": seconds,
    }
    _searches.write_search(folder, search, metrics)
    ranking, best = _searches.tell_ranking(search)
    console.print(
        f"\n{ranking}\n\nbest: {best}"
        f"\nsearched in {seconds:.1f} s, of which {search.refit_time_:.1f} s trained the best on"
        f" all pictures\ntest   loss {test_loss:.4f}   accuracy {test_accuracy:.4f}"
        f"\n\n{folder} holds {', '.join(_searches.SEARCH_FILES)}"
    )
    return 0


def evaluate(arguments):
    """Score a saved model: the article's pair of loss and accuracy, and a table by class."""
    from sklearn.metrics import classification_report

    from .datasets import load_all

    model, image_size = _load_model(arguments.model)
    if arguments.data == "auto":
        arguments.data = _source_of(model.classes_)
    if arguments.subset == "all":
        options = {"data_home": arguments.data_home, "limit": arguments.limit}
        X, names = load_all(arguments.data, image_size=image_size, **options)
    else:
        _, *parts = _load_train_test(arguments, image_size)
        X, names = parts[0] if arguments.subset == "train" else parts[1]
    y = _labels(names, model.classes_, arguments)
    loss, accuracy, y_pred = _score(model, X, y)
    what = "pictures" if arguments.subset == "all" else f"{arguments.subset} pictures"
    print(f"{arguments.data}: {len(X):,} {what}")
    print(f"[loss, accuracy]: [{loss:.4f}, {accuracy:.4f}]\n")
    print(classification_report(y, y_pred, digits=3, zero_division=0))
    return 0


def predict(arguments):
    """Tell the most probable classes of picture files."""
    from .datasets import DatasetError, read_picture

    model, image_size = _load_model(arguments.model)
    told = []
    for name in arguments.pictures:
        try:
            picture = read_picture(name, image_size=image_size)
        except DatasetError as error:
            complain(error)
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


def complain(error):
    """Tell an error in one line on standard error.

    Parameters
    ----------
    error : Exception or str
        What to tell.
    """
    print(f"skcifar: error: {' '.join(str(error).split())}", file=sys.stderr)


def _console():
    from rich.console import Console

    # what is printed holds names of files and classes, which are no markup
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=True)


def _tell_data(console, source, y_train, y_test):
    console.print(
        f"{source}: {len(y_train):,} training and {len(y_test):,} test pictures of"
        f" {len(set(y_train))} classes"
    )


def _load_train_test(arguments, image_size=(32, 32)):
    """Return the name of the source, training pictures with labels, test pictures likewise."""
    from .datasets import load_train_test

    options = {"data_home": arguments.data_home, "limit": arguments.limit}
    if arguments.data != "auto":
        parts = load_train_test(arguments.data, image_size=image_size, **options)
        return arguments.data, *parts
    try:
        # one round is enough where there is something to fall back on
        return "cifar10", *load_train_test("cifar10", n_retries=0, **options)
    except OSError as error:
        _warn_that_digits_stand_in(error)
        return "digits", *load_train_test("digits", **options)


def _warn_that_digits_stand_in(error):
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    text = Text.assemble(
        "CIFAR-10 is not on this machine and could not be downloaded, so ",
        ("the network learns scikit-learn's handwritten digits instead", "bold"),
        ".\n\nTo get CIFAR-10, run this again where the internet can be reached. Or download"
        " cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html yourself and say"
        " where it is: skcifar train --data-home DIR\n\n",
        (str(error), "dim"),
    )
    Console(stderr=True).print(Panel(text, title="Not CIFAR-10", style="yellow"))


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
    if set(classes) == set(load_digit_images().target_names):  # strings; numbers could be anything
        return "digits"
    raise ValueError(
        "What the model was trained on cannot be told from its classes, which are"
        f" {', '.join(classes.astype(str))}. Name the pictures by --data."
    )


def _labels(names, classes, arguments):
    """Translate names of classes into the labels that a model was trained on."""
    label_of = dict(zip(classes.astype(str), classes, strict=True))
    known = sorted(set(names))
    if not set(known) <= set(label_of) and classes.tolist() == list(range(len(known))):
        # a model that learned the data set's own numbers, which follow its sorted names
        label_of = dict(zip(known, classes, strict=True))
    strange = [name for name in known if name not in label_of]
    if strange:
        raise ValueError(
            f"{arguments.data} has pictures of {', '.join(strange)}, which {arguments.model} was"
            f" not trained on. Give pictures of {', '.join(classes.astype(str))}."
        )
    return [label_of[name] for name in names]


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
            from . import training  # noqa: F401

            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
