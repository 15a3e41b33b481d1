"""``skcifar evaluate``."""

from pathlib import Path

from ._arguments import data_arguments, int_from, model_arguments
from ._shared import (
    labels_of,
    load_picture_model,
    load_train_test_pictures,
    reading_options,
    score_probabilities,
    source_of,
)
from ._terminal import complain, printable, write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "evaluate",
        parents=[data_arguments(), model_arguments()],
        help="score a saved model",
        description="Score a saved model. auto, the default, is the data set with the model's"
        " classes.",
    )
    parser.add_argument("model", metavar="MODEL", help="file written by skcifar train")
    parser.add_argument(
        "--subset",
        choices=("train", "test", "all"),
        default="test",
        help="which pictures to use; test are those of a folder that training left out, as long as"
        " its files stay the same; all is for a folder that was not trained on"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--mistakes",
        metavar="FILE",
        help="write a CSV file of the misclassified pictures, the surest mistakes first",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder to write numbers, pictures and mistakes to, for skcifar report",
    )
    parser.add_argument(
        "--cv",
        type=int_from(2, 100),
        metavar="N",
        help="train N new copies of the model, and let each predict the pictures it was not trained"
        " on; with --subset train or all, this finds labels that are probably wrong",
    )
    parser.set_defaults(run=evaluate)


def evaluate(arguments):
    """Score a saved model: the article's pair of loss and accuracy, and a table by class."""
    from sklearn.metrics import classification_report

    from ..datasets import load_all
    from ..runs._balance import balance_scores, describe_imbalance

    model, reading = load_picture_model(arguments.model, trusted=arguments.trusted)
    if arguments.data == "auto":
        arguments.data = source_of(model.classes_, arguments.model)
    if arguments.subset == "all":
        X, names, filenames = load_all(arguments.data, **reading_options(arguments, reading))
    else:
        _, *parts = load_train_test_pictures(arguments, reading)
        X, names, filenames = parts[0] if arguments.subset == "train" else parts[1]
    y = labels_of(names, model.classes_, arguments.data, arguments.model)
    if arguments.cv:
        probabilities, classes = _cross_validated(model, X, y, arguments.cv)
    else:
        probabilities, classes = model.predict_proba(X), model.classes_
    loss, accuracy = score_probabilities(y, probabilities, classes)
    y_pred = classes[probabilities.argmax(axis=1)]
    if arguments.mistakes:
        from ..runs._training import write_mistakes

        write_mistakes(Path(arguments.mistakes), y, probabilities, classes, filenames)
    what = "pictures" if arguments.subset == "all" else f"{arguments.subset} pictures"
    # those that there are, as scikit-learn itself takes them
    labels = sorted({*y, *y_pred})
    names = [printable(label) for label in labels]
    table = classification_report(
        y, y_pred, labels=labels, target_names=names, digits=3, zero_division=0
    )
    balance = []
    if imbalance := describe_imbalance(y):
        scores = balance_scores(y, y_pred)
        balance = [f"balanced accuracy: {scores['test_balanced_accuracy']:.4f}", imbalance]
    write(
        f"{arguments.data}: {len(X):,} {what}",
        f"[loss, accuracy]: [{loss:.4f}, {accuracy:.4f}]",
        *balance,
        "",
        *table.split("\n"),
    )
    if arguments.out:
        predictions = {"X": X, "y": y, "y_proba": probabilities, "classes": classes}
        metrics = {"test_loss": loss, "test_accuracy": accuracy}
        _write_folder(arguments, model, metrics, predictions | {"filenames": filenames})
    return 0


def _cross_validated(model, X, y, n_folds):
    """Return what copies of a model predict for pictures that they were not trained on."""
    import numpy as np
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    y_proba = cross_val_predict(clone(model), X, y, cv=folds, method="predict_proba")
    return y_proba, np.unique(y)


def _write_folder(arguments, model, metrics, predictions):
    """Write what can be shown of an evaluation."""
    import matplotlib

    from ..model_selection._comparisons import classifier_of
    from ..runs._training import EVALUATION_FILES, jsonable_params, write_evaluation

    matplotlib.use("Agg")  # files only; a window would need a screen
    made_with = {
        "model": str(arguments.model),
        "data": arguments.data,
        "subset": arguments.subset,
        "n_folds": arguments.cv,
        "n_test": len(predictions["y"]),
        "params": jsonable_params(classifier_of(model)),
    }
    folder = Path(arguments.out)
    for problem in write_evaluation(folder, made_with | metrics, **predictions):
        complain(problem, kind="warning")
    names = [name for name in EVALUATION_FILES if (folder / name).exists()]
    write("", f"{folder} holds {', '.join(names)}")
