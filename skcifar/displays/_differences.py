"""What models that are compared have in common, and where they differ."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import unique_labels

LONGEST_NAME = 13  # letters


def check_labels(y_true, y_pred, classes):
    """See that labels go with each other."""
    if len(y_pred) < 2:
        raise ValueError(
            f"A comparison needs at least two models, got {len(y_pred)}: {list(y_pred)}. Give the"
            " predictions of each, by name."
        )
    y_true = column_or_1d(y_true, warn=True)
    y_pred = {name: column_or_1d(labels, warn=True) for name, labels in y_pred.items()}
    for name, labels in y_pred.items():
        if len(labels) != len(y_true):
            raise ValueError(
                f"{name} predicted {len(labels)} pictures, but there are {len(y_true)} actual"
                " classes. Give one prediction for each picture."
            )
    reported = unique_labels(y_true, *y_pred.values())
    classes = reported if classes is None else np.asarray(classes)
    unknown = np.setdiff1d(reported, classes)
    if len(unknown):
        raise ValueError(
            f"There are labels that are not among the classes: {', '.join(map(str, unknown[:5]))}."
            f" The classes begin with {', '.join(map(str, classes[:5]))}. Give labels as in"
            " training."
        )
    return y_true, y_pred, classes


def check_histories(histories, y_pred):
    """Return the histories that can be drawn."""
    unknown = [name for name in histories if name not in y_pred]
    if unknown:
        raise ValueError(
            f"There is a history of {', '.join(unknown)}, but predictions only of"
            f" {', '.join(y_pred)}. Use the same names."
        )
    return {name: history for name, history in histories.items() if "accuracy" in (history or {})}


def choose_differing(right, n_images, random):
    """Choose pictures on which models differ."""
    n_right = np.sum(list(right.values()), axis=0)
    differing = (n_right > 0) & (n_right < len(right))
    n_samples, n_differing = len(n_right), np.count_nonzero(differing)
    if not n_differing:
        return np.array([], int), f"No picture of {n_samples:,} on which only some are right"
    if len(right) > 2:
        shown = random.permutation(np.flatnonzero(differing))[:n_images]
        return shown, f"Some are right and some wrong on {n_differing:,} of {n_samples:,} pictures"
    only = {
        name: random.permutation(np.flatnonzero(differing & values))
        for name, values in right.items()
    }
    first, second = only.values()
    n_first = max(-(-n_images // 2), n_images - len(second))
    shown = np.concatenate([first[:n_first], second[: n_images - min(n_first, len(first))]])
    reported = " and ".join(f"only {n} is right on {len(only[n]):,}" for n in right)
    return shown, f"Of {n_samples:,} pictures, {reported}"


def cut_names(names):
    """Cut long names in their middle, so that they stay different."""
    names = [" ".join(str(name).split()) for name in names]
    ends = LONGEST_NAME // 2
    cut = [n if len(n) <= LONGEST_NAME else f"{n[:ends]}…{n[-ends:]}" for n in names]
    return cut if len(set(cut)) == len(cut) else [f"{i} {n}" for i, n in enumerate(cut, start=1)]


def plain(name):
    """Keep matplotlib from taking what is between two dollars for a formula."""
    return name.replace("$", r"\$")
