"""``skcifar train``."""

import time
from pathlib import Path

from ._arguments import add_image_size, add_random_state, data_arguments
from ._parameters import add_network_parameters, typed_parameters
from ._shared import (
    list_files,
    load_train_test_pictures,
    make_pipeline,
    print_data,
    score,
    suit_to_data,
    typed_reading,
)
from ._terminal import complain, write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "train",
        parents=[data_arguments()],
        help="train a network and write the model, its numbers and its pictures",
        description="Train a network. auto, the default, is CIFAR-10 if it is at hand or can be"
        " downloaded (170 MB), otherwise the digits.",
    )
    add_image_size(parser)
    add_random_state(parser)
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="file to write after each epoch, for --resume (default: none)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="resume from --checkpoint FILE if it exists; the same command ends with the same"
        " network as if it had never been stopped",
    )
    parser.add_argument(
        "--out",
        default="skcifar-run",
        metavar="DIR",
        help="folder to write to; what an earlier run left there is replaced"
        " (default: %(default)s)",
    )
    parser.add_late = add_network_parameters
    parser.set_defaults(run=train)


def train(arguments):
    """Train a pipeline, score it, and write what came out."""
    from ..model_selection._comparisons import one_view
    from ..runs._balance import balance_scores, describe_balance
    from ..runs._files import RUN_FILES
    from ..runs._pictures import Predictions
    from ..runs._training import prepare_run_folder, save_first, write_run
    from ._progress import EpochProgress

    _check_checkpoint(arguments)
    typed = typed_parameters(arguments)
    pipeline = make_pipeline(arguments.network, random_state=arguments.random_state, **typed)
    classifier = pipeline["classify"]
    reading = typed_reading(arguments)
    pipeline["resize"].set_params(**reading)
    source, (X_train, y_train, _), (X_test, y_test, filenames) = load_train_test_pictures(
        arguments, reading
    )
    suit_to_data(pipeline, source, typed)
    folder = prepare_run_folder(arguments.out)
    imbalance = print_data(source, y_train, y_test, with_hint=classifier.class_weight is None)

    begin = time.perf_counter()
    pipeline.set_params(classify__checkpoint=arguments.checkpoint)
    try:
        with EpochProgress(classifier) as progress:
            pipeline.set_params(classify__callbacks=[progress]).fit(X_train, y_train)
    except KeyboardInterrupt as interrupt:
        interrupt.args = (_successful(pipeline, folder, arguments),)
        raise
    fit_seconds = time.perf_counter() - begin
    pipeline.set_params(classify__callbacks=None)
    save_first(pipeline, folder, RUN_FILES)

    with one_view(pipeline):
        train_loss, train_accuracy, _ = score(pipeline, X_train, y_train)
    test_loss, test_accuracy, y_proba = score(pipeline, X_test, y_test)
    predictions = Predictions(
        X_test, y_test, y_proba, pipeline.classes_, filenames, arguments.random_state, pipeline
    )
    metrics = {
        "network": arguments.network,
        "data": source,
        "n_train": len(X_train),
        "n_test": len(X_test),
        "n_parameters": classifier.model_.count_params(),
        "epochs": classifier.value_of("epochs"),
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
        "fit_seconds": fit_seconds,
    }
    if imbalance:
        metrics |= balance_scores(y_test, predictions.y_pred)
    for problem in write_run(folder, metrics, predictions, y_train=y_train):
        complain(problem, kind="warning")
    write(
        "",
        f"{metrics['n_parameters']:,} parameters, trained in {fit_seconds:.1f} s",
        f"training   loss {train_loss:.4f}   accuracy {train_accuracy:.4f}",
        f"test       loss {test_loss:.4f}   accuracy {test_accuracy:.4f}",
        *describe_balance(metrics),
        "",
        list_files(folder, RUN_FILES),
    )
    return 0


def _check_checkpoint(arguments):
    """Raise if what was typed is unclear about a checkpoint, before anything is lost or done."""
    if arguments.checkpoint is None:
        if arguments.resume:
            raise ValueError("--resume needs a checkpoint. Name it with --checkpoint FILE.")
    elif Path(arguments.checkpoint).exists() and not arguments.resume:
        raise ValueError(
            f"{arguments.checkpoint} already exists. Add --resume to resume from it, or delete it"
            " to start anew."
        )


def _successful(pipeline, folder, arguments):
    """Save what was trained before an interrupt, beside what earlier runs left, and say so."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    from ..persistence._models import save_model

    classifier = pipeline["classify"]
    try:
        check_is_fitted(classifier)
    except NotFittedError:
        return "interrupted in the first epoch, so nothing is saved"
    path = folder / "interrupted.safetensors"
    save_model(pipeline.set_params(classify__callbacks=None), path)
    message = f"interrupted; {path} holds the network as it was after epoch {classifier.n_iter_}"
    return (
        message if arguments.checkpoint is None else f"{message}; add --resume to resume from there"
    )
