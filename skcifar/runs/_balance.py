"""What is reported where some classes are rare, and an accuracy says little."""

import numpy as np
from sklearn.metrics import recall_score

RARE = 0.5  # of the share that a class would have if all had the same


def describe_imbalance(y):
    """Name the rarest class where it is rare, or return nothing."""
    classes, counts = np.unique(y, return_counts=True)
    share, even = counts.min() / len(y), 1 / len(classes)
    if share >= RARE * even:
        return ""
    return (
        f"the rarest class, {classes[counts.argmin()]}, has {counts.min():,} of {len(y):,} pictures"
        f" ({100 * share:.1f} %), less than half of an even share ({100 * even:.1f} %), so"
        " balanced accuracy and recall by class say more than accuracy"
    )


def balance_scores(y_true, y_pred):
    """Score predictions for test pictures in a way that each class counts the same."""
    classes = np.unique(y_true)
    recalls = recall_score(y_true, y_pred, labels=classes, average=None, zero_division=0)
    by_class = {str(name): float(recall) for name, recall in zip(classes, recalls, strict=True)}
    return {"test_balanced_accuracy": float(recalls.mean()), "test_recall": by_class}


def describe_balance(metrics):
    """Report in lines what :func:`balance_scores` found, if metrics have that."""
    if "test_recall" not in metrics:
        return []
    recalls = [f"recall     {name} {recall:.4f}" for name, recall in metrics["test_recall"].items()]
    return [f"test       balanced accuracy {metrics['test_balanced_accuracy']:.4f}", *recalls]
