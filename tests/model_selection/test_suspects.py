"""Labels that are wrong, which is known."""

import numpy as np
import pytest

from skcifar import find_suspect_labels

Y = np.array(["cat", "cat", "cat", "dog", "dog", "dog"])
# cats are usually 0.7 cat, and dogs 0.6 dog
Y_PROBA = np.array(
    [
        [0.9, 0.1],
        [0.9, 0.1],
        [0.25, 0.75],  # more of a dog than dogs are
        [0.2, 0.8],
        [0.1, 0.9],
        [0.6, 0.4],  # taken for a cat, but less surely than cats are
    ]
)


def test_suspect_is_as_probable_as_others_of_another_class():
    assert find_suspect_labels(Y, Y_PROBA).tolist() == [2]


def test_the_least_probable_label_comes_first():
    y_proba = Y_PROBA.copy()
    y_proba[5] = [0.95, 0.05]
    assert find_suspect_labels(Y, y_proba).tolist() == [5, 2]


def test_a_class_that_no_sample_is_labelled_as_makes_none_suspect():
    y_proba = [[0.2, 0.8], [0.9, 0.1]]
    assert find_suspect_labels(["cat", "cat"], y_proba, labels=["cat", "dog"]).size == 0


def test_labels_that_no_column_is_of_are_refused():
    with pytest.raises(ValueError, match="The classes cat, dog are not among"):
        find_suspect_labels(Y, Y_PROBA, labels=["owl", "fox"])
