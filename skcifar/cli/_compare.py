"""``skcifar compare``."""

import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from ._arguments import (
    add_image_size,
    add_random_state,
    data_arguments,
    positive_float,
    positive_int,
    trusted_argument,
)
from ._processes import ERRORS, in_a_process_of_its_own, peak_memory
from ._shared import (
    labels_of,
    list_files,
    load_picture_model,
    load_train_test_pictures,
    make_pipeline,
    print_data,
    source_of,
    suit_to_data,
    typed_reading,
)
from ._terminal import complain, write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "compare",
        parents=[data_arguments(), trusted_argument()],
        help="train networks on the same pictures, and test which is better",
        description="Train networks on the same pictures, score them and saved models on the same"
        " test pictures, and find with McNemar's test which differences are more than chance."
        " auto, the default, is the data set with the saved models' classes, if there are any.",
    )
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        help="saved models to compare as they are, without further training",
    )
    parser.add_argument(
        "--networks",
        default="dense,convolutional",
        metavar="NAME,NAME",
        help="networks to train, as in skcifar train --network, or none (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=positive_int,
        metavar="N",
        help="passes over the pictures (default: each network's own number)",
    )
    parser.add_argument(
        "--minutes",
        dest="max_minutes",
        type=positive_float,
        metavar="R",
        help="time to train each network, which then makes as many passes as it allows"
        " (default: none)",
    )
    parser.add_argument(
        "--class-weight",
        choices=("balanced",),
        help="let each class count the same in training, however rare it is (default: each"
        " picture does)",
    )
    add_image_size(parser)
    add_random_state(parser)
    parser.add_argument(
        "--out",
        default="skcifar-compare",
        metavar="DIR",
        help="folder to write to; what an earlier comparison left there is replaced"
        " (default: %(default)s)",
    )
    parser.set_defaults(run=compare)


def compare(arguments):
    """Train networks on the same pictures, score them and saved models, and compare them.

    What cannot be trained or scored is reported, and the others are compared.
    """
    from ..datasets._cache import default_folder

    # each network's process reads the pictures that this one has decoded
    with (
        nullcontext(default_folder())
        if arguments.cache
        else tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    ) as arguments.cache:
        return _compare(arguments)


def _compare(arguments):
    from ..files._versions import library_versions
    from ..model_selection._comparisons import CONFIDENCE_LEVEL, mcnemar_tests
    from ..runs import _comparison as _comparisons
    from ..runs._files import COMPARISON_FILES
    from ..runs._training import prepare_run_folder

    networks = _check_networks(arguments)
    saved = _load_models(arguments.models, networks, trusted=arguments.trusted)
    if not networks and not saved:
        return 2
    if saved and arguments.data == "auto":
        arguments.data = _first_known_source(saved)
    reading = _reading(arguments, saved)
    arguments.data, *parts = load_train_test_pictures(arguments, reading)
    (_, y_train, _), (X_test, y_test, filenames) = parts
    with_hint = bool(networks) and arguments.class_weight is None
    print_data(arguments.data, y_train, y_test, with_hint=with_hint)
    calls = [(*model, reading, arguments.data, *parts) for model in saved]
    of_saved = _attempt(_measure_saved, calls)
    if not networks and not of_saved:
        return 2
    folder = prepare_run_folder(arguments.out)

    def train(name):
        write("", name)
        path = folder / f"{name}.safetensors"
        try:
            return in_a_process_of_its_own(_train, name, path, arguments, reading)
        finally:
            _erase_bar()

    trained = _attempt(train, [(name,) for name in networks])
    measured = trained + of_saved
    if not measured:
        return 2

    models = [model for model, _ in measured]
    y_pred = {model["name"]: labels for model, labels in measured}
    comparison = {
        "data": arguments.data,
        "n_train": len(y_train),
        "n_test": len(y_test),
        "classes": sorted(set(y_train.tolist())),
        "confidence": CONFIDENCE_LEVEL,
        "models": models,
        "tests": mcnemar_tests(y_test, y_pred),
        "versions": library_versions(),
    }
    problems = _comparisons.write_comparison(
        folder,
        comparison,
        X_test=X_test,
        y_test=y_test,
        y_pred=y_pred,
        filenames=filenames,
        random_state=arguments.random_state,
    )
    for problem in problems:
        complain(problem, kind="warning")
    write(
        *_comparisons.format_table(models),
        "",
        f"With {100 * CONFIDENCE_LEVEL:g} % confidence, [low, high] contains the value for all"
        " such pictures.",
        *_comparisons.describe_tests(comparison["tests"]),
        "",
        list_files(folder, [*(model["file"] for model, _ in trained), *COMPARISON_FILES]),
    )
    return 0 if len(measured) == len(networks) + len(arguments.models) else 2


def _check_networks(arguments):
    """Return the names of the networks to train, if all that was typed can be done."""
    from ..pipelines import PIPELINES

    for path in arguments.models:
        if path in PIPELINES and not Path(path).exists():
            raise ValueError(
                f"{path} is not a file. Name networks to train with --networks {path}."
            )
    networks = [] if arguments.networks == "none" else arguments.networks.split(",")
    networks = [name.strip() for name in networks]
    for name in networks:
        if name not in PIPELINES:
            raise ValueError(
                f"--networks: {name!r} is not a network. Give some of"
                f" {', '.join(PIPELINES)}, separated by commas, or none."
            )
        if networks.count(name) > 1:
            raise ValueError(f"--networks: {name} is given twice. Name each network once.")
        path = Path(arguments.out, f"{name}.safetensors").resolve()
        if path in [Path(model).resolve() for model in arguments.models]:
            raise ValueError(
                f"{path} would be replaced by the new {name} network. Give another folder"
                " with --out."
            )
    if not networks and not arguments.models:
        raise ValueError(
            "There is nothing to compare. Give saved models, or networks to train with --networks."
        )
    return networks


def _load_models(paths, networks, *, trusted):
    """Return name, path, model and way of reading of all files that hold a model for pictures."""
    from ..runs._comparison import distinct_names

    loaded = _attempt(
        lambda path: (path, *load_picture_model(path, trusted=trusted)), [(path,) for path in paths]
    )
    names = distinct_names([Path(path) for path, *_ in loaded], networks)
    return [(name, *model) for name, model in zip(names, loaded, strict=True)]


def _reading(arguments, saved):
    """Return what size picture files get and how: as for saved models, or as was typed."""
    if not saved:
        return typed_reading(arguments)
    if arguments.image_size or arguments.resize:
        raise ValueError(
            "--image-size and --resize are those of the saved models. Leave them out, or compare"
            " only new networks."
        )
    return saved[0][3]


def _first_known_source(saved):
    """Name the data set of the first model that names it, or raise the error of the last one."""
    for _, path, model, _ in saved:
        try:
            return source_of(model.classes_, path)
        except ValueError as error:
            failure = error
    raise failure


def _attempt(function, calls):
    """Return what comes out of all calls but those that fail, which are reported."""
    results = []
    for call in calls:
        try:
            results.append(function(*call))
        except ERRORS as error:
            complain(error)
    return results


def _measure_saved(name, path, model, wanted, reading, source, train, test):
    """Describe a saved model, and return the classes too that it predicts."""
    height, width, n_channels = train.images.shape[1:]
    there = {"image_size": (height, width), "n_channels": n_channels, "resize": reading["resize"]}
    if train.filenames is None:  # they were resized by nobody
        there["resize"] = wanted["resize"]
    if wanted != there:
        raise ValueError(
            f"{path} takes pictures of {_described(wanted)}, but those of {source} are read at"
            f" {_described(there)}. Compare only models of one picture size."
        )
    return _measure(name, path, model, source, train, test)


def _described(reading):
    height, width = reading["image_size"]
    grey = " in grey" if reading["n_channels"] == 1 else ""
    return f"{height} x {width} pixels{grey} ({reading['resize']})"


def _measure(name, file, model, source, train, test, *, fit_seconds=None):
    from ..model_selection._comparisons import classifier_of, measure_classifier
    from ..runs._balance import balance_scores, describe_imbalance
    from ..runs._training import jsonable_params

    (X_train, train_names, _), (X_test, test_names, _) = train, test
    known = {*train_names, *test_names}
    y_train = labels_of(train_names, model.classes_, source, file, known=known)
    y_test = labels_of(test_names, model.classes_, source, file, known=known)
    measures, y_pred = measure_classifier(model, X_test, y_test, X_train=X_train, y_train=y_train)
    trained_here = fit_seconds is not None
    classifier = classifier_of(model)
    name_of = dict(zip(y_train, train_names, strict=True))
    predicted_names = [str(name_of.get(label, label)) for label in y_pred]
    if describe_imbalance(train_names):
        measures |= balance_scores(test_names, predicted_names)
    reported = {
        "name": name,
        "file": str(file),
        "trained_here": trained_here,
        **measures,
        "fit_seconds": fit_seconds,
        # of a process that trained nothing, it would seem little beside those that did
        "peak_memory_bytes": peak_memory() if trained_here else None,
        "history": classifier.history_,
        "params": jsonable_params(classifier),
    }
    return reported, predicted_names


def _erase_bar():
    """Erase what a process leaves that is ended while it shows a bar: the bar, without a cursor."""
    from rich.console import Console
    from rich.control import Control
    from rich.segment import ControlType

    erase = (ControlType.ERASE_IN_LINE, 2)
    Console().control(Control(ControlType.CARRIAGE_RETURN, erase, ControlType.SHOW_CURSOR))


def _train(name, path, arguments, reading):
    """Train a network, save it, and return what :func:`_measure` does."""
    from ..persistence._models import save_model
    from ._progress import EpochProgress

    _, train, test = load_train_test_pictures(arguments, reading, quiet=True)
    names = ("epochs", "max_minutes", "random_state", "class_weight")
    given = {name: getattr(arguments, name) for name in names}
    pipeline = make_pipeline(name, **given)
    pipeline["resize"].set_params(**reading)
    suit_to_data(pipeline, arguments.data)
    begin = time.perf_counter()
    with EpochProgress(pipeline["classify"]) as progress:
        pipeline.set_params(classify__callbacks=[progress]).fit(train.images, train.names)
    fit_seconds = time.perf_counter() - begin
    pipeline.set_params(classify__callbacks=None)
    save_model(pipeline, path)
    return _measure(name, path.name, pipeline, arguments.data, train, test, fit_seconds=fit_seconds)
