"""``skcifar evaluate``."""

from pathlib import Path

from ._arguments import add_model, data_arguments, int_from, trusted_argument
from ._shared import (
    labels_of,
    list_files,
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
        parents=[data_arguments(), trusted_argument()],
        help="score a saved model",
        description="Score a saved model. auto, the default, is the data set with the model's"
        " classes.",
    )
    add_model(parser)
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
    from ..runs._pictures import Predictions

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
    predictions = Predictions(X, y, probabilities, classes, filenames)
    y_pred = predictions.y_pred
    if arguments.mistakes:
        from ..runs._training import write_mistakes

        write_mistakes(Path(arguments.mistakes), predictions)
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
        metrics = {"test_loss": loss, "test_accuracy": accuracy}
        _write_folder(arguments, model, metrics, predictions)
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
    from ..model_selection._comparisons import classifier_of
    from ..runs._files import EVALUATION_FILES
    from ..runs._training import jsonable_params, write_evaluation

    made_with = {
        "model": str(arguments.model),
        "data": arguments.data,
        "subset": arguments.subset,
        "n_folds": arguments.cv,
        "n_test": len(predictions.y_true),
        "params": jsonable_params(classifier_of(model)),
    }
    folder = Path(arguments.out)
    for problem in write_evaluation(folder, made_with | metrics, predictions):
        complain(problem, kind="warning")
    write("", list_files(folder, EVALUATION_FILES))
