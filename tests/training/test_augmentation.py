"""Pictures that are changed at random while a network is trained on them."""

import numpy as np
import pytest

from skcifar import ResidualClassifier
from skcifar._lazy import LazyImages
from skcifar.training._augmentation import Augmentation, augmented
from skcifar.training._batches import Epoch

PICTURES = np.random.default_rng(0).integers(256, size=(200, 4, 6, 3), dtype=np.uint8)


def changed(pictures, *, seed=0, **params):
    return augmented(pictures, Augmentation(**params, seed=seed).draw(*pictures.shape[:3], epoch=0))


def test_nothing_changes_by_default():
    np.testing.assert_array_equal(changed(PICTURES), PICTURES)


def test_pictures_are_mirrored_from_left_to_right_half_of_the_time():
    seen = changed(PICTURES, horizontal_flip=True)
    as_they_were = (seen == PICTURES).all(axis=(1, 2, 3))
    mirrored = (seen == PICTURES[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (as_they_were | mirrored).all()
    assert 60 < mirrored.sum() < 140


def test_shifts_are_by_whole_pixels_and_not_too_far():
    pictures = np.zeros((500, 8, 16, 1), np.uint8)
    pictures[:, 4, 8] = 1
    _, rows, columns, _ = np.nonzero(changed(pictures, max_shift=0.125))
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {
        (row, column) for row in (3, 4, 5) for column in range(6, 11)
    }


def test_what_moves_in_is_a_mirror_image_of_the_edge():
    column = np.arange(5, dtype=np.uint8).reshape(1, 5, 1, 1)
    down = augmented(column, np.array([[0, 2, 0]]))
    up = augmented(column, np.array([[0, -2, 0]]))
    assert down.ravel().tolist() == [1, 0, 0, 1, 2]
    assert up.ravel().tolist() == [2, 3, 4, 4, 3]


def test_floats_and_bytes_are_changed_alike():
    params = {"horizontal_flip": True, "max_shift": 0.3}
    floats = changed(PICTURES.astype(np.float64), **params)
    np.testing.assert_array_equal(floats, changed(PICTURES, **params))


@pytest.mark.parametrize("with_changes", [False, True])
def test_lazy_images_give_the_batches_of_scaled_ones(with_changes):
    scaled = np.divide(PICTURES, np.float32(255), dtype=np.float32)
    y = weights = np.arange(200, dtype=np.float32)
    rows = np.random.default_rng(1).permutation(200)[:50]
    changes = Augmentation(True, 0.3).draw(50, 4, 6, epoch=0) if with_changes else None
    batches = [
        [*Epoch((X, y, weights), rows, changes).batches(16)]
        for X in (scaled, LazyImages(PICTURES, 255))
    ]
    for eager, lazy in zip(*batches, strict=True):
        for one, other in zip(eager, lazy, strict=True):
            np.testing.assert_array_equal(one, other)


def weights_after_training(**params):
    X, y = PICTURES[:40] / np.float32(255), np.arange(40) % 2
    params = {"filters": (4,), "epochs": 2, "batch_size": 10, "random_state": 0} | params
    return ResidualClassifier(**params).fit(X, y).model_.get_weights()


def test_same_seed_gives_the_same_changes_and_none_give_another_network():
    first, again = (weights_after_training() for _ in range(2))
    unchanged = weights_after_training(horizontal_flip=False, max_shift=0)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(one, other) for one, other in zip(first, unchanged, strict=True))


def test_each_epoch_and_each_seed_has_changes_of_its_own():
    first = Augmentation(True, 0.5).draw(50, 4, 6, epoch=0)
    np.testing.assert_array_equal(first, Augmentation(True, 0.5).draw(50, 4, 6, epoch=0))
    assert not np.array_equal(first, Augmentation(True, 0.5).draw(50, 4, 6, epoch=1))
    assert not np.array_equal(first, Augmentation(True, 0.5, seed=1).draw(50, 4, 6, epoch=0))


def test_classifier_changes_pictures_by_its_parameters():
    classifier = ResidualClassifier(horizontal_flip=False, max_shift=0.25)
    assert classifier.augmentation() == Augmentation(False, 0.25)
