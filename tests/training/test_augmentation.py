"""Pictures that are changed at random while a network is trained on them."""

import numpy as np
import pytest

from skcifar import ConvolutionalClassifier, WhiteningClassifier
from skcifar._lazy import LazyImages
from skcifar.training._augmentation import Augmentation
from skcifar.training._batches import Epoch

PICTURES = np.random.default_rng(0).integers(256, size=(200, 4, 6, 3), dtype=np.uint8)
ROWS = np.arange(len(PICTURES))


def changed(pictures, *, seed=0, **params):
    augmentation = Augmentation(**params, seed=seed)
    return augmentation.apply(
        pictures, augmentation.draw(np.arange(len(pictures)), *pictures.shape[1:3], epoch=0)
    )


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
    down, up = (
        Augmentation().apply(column, np.array([[0, shift, 0, 0, 0, 0]])) for shift in (2, -2)
    )
    assert down.ravel().tolist() == [1, 0, 0, 1, 2]
    assert up.ravel().tolist() == [2, 3, 4, 4, 3]


def test_a_turn_by_a_right_angle_is_that_of_numpy():
    squares = PICTURES[:, :, :4].copy()
    changes = np.zeros((len(squares), 6))
    changes[:, 3] = np.pi / 2
    turned = Augmentation(max_rotation=90).apply(squares, changes)
    assert np.array_equal(turned, np.rot90(squares, axes=(1, 2))) or np.array_equal(
        turned, np.rot90(squares, -1, axes=(1, 2))
    )


def test_a_turn_by_nothing_moves_and_mirrors_as_without_turning():
    changes = Augmentation(True, 0.5).draw(ROWS, *PICTURES.shape[1:3], epoch=0)
    moved = Augmentation(True, 0.5).apply(PICTURES, changes)
    np.testing.assert_array_equal(Augmentation(True, 0.5, 10).apply(PICTURES, changes), moved)


def test_pictures_are_turned_to_either_side_and_no_further_than_asked():
    angles = Augmentation(max_rotation=10).draw(np.arange(500), 4, 4, epoch=0)[:, 3]
    assert np.abs(angles).max() <= np.deg2rad(10)
    assert angles.min() < -np.deg2rad(9)
    assert angles.max() > np.deg2rad(9)


def test_turned_pictures_stay_between_the_values_that_they_had():
    turned = changed(PICTURES.astype(np.float32), max_rotation=180)
    assert turned.dtype == np.float32
    assert not np.array_equal(turned, PICTURES)
    assert turned.min() >= PICTURES.min()
    assert turned.max() <= PICTURES.max()


def test_an_area_is_cut_out_and_has_the_mean_colour():
    pictures = np.random.default_rng(0).random((300, 8, 12, 3))
    seen = changed(pictures, cutout=0.5)
    covered = (seen != pictures).any(axis=-1)
    sizes = covered.sum(axis=(1, 2))
    assert sizes.max() == 4 * 6  # whole ones, and others at the edge
    assert 0 < sizes.min() < 4 * 6
    for picture, cut, area in zip(pictures, seen, covered, strict=True):
        np.testing.assert_allclose(cut[area], np.tile(picture.mean(axis=(0, 1)), (area.sum(), 1)))


def test_cutting_out_leaves_the_pictures_as_they_are():
    before = PICTURES.copy()
    changed(PICTURES, cutout=0.5)
    np.testing.assert_array_equal(PICTURES, before)


def test_floats_and_bytes_are_changed_alike():
    params = {"horizontal_flip": True, "max_shift": 0.3}
    floats = changed(PICTURES.astype(np.float64), **params)
    np.testing.assert_array_equal(floats, changed(PICTURES, **params))


@pytest.mark.parametrize("with_changes", [False, True])
def test_lazy_images_give_the_batches_of_scaled_ones(with_changes):
    scaled = np.divide(PICTURES, np.float32(255), dtype=np.float32)
    y = weights = np.arange(200, dtype=np.float32)
    rows = np.random.default_rng(1).permutation(200)[:50]
    augmentation = Augmentation(True, 0.3) if with_changes else None
    batches = [
        [*Epoch((X, y, weights), rows, augmentation).batches(16)]
        for X in (scaled, LazyImages(PICTURES, 255))
    ]
    for eager, lazy in zip(*batches, strict=True):
        for one, other in zip(eager, lazy, strict=True):
            np.testing.assert_array_equal(one, other)


def weights_after_training(**params):
    X, y = PICTURES[:40] / np.float32(255), np.arange(40) % 2
    params = {"filters": (4,), "epochs": 2, "batch_size": 10, "random_state": 0} | params
    return WhiteningClassifier(**params).fit(X, y).model_.get_weights()


def test_same_seed_gives_the_same_changes_and_none_give_another_network():
    first, again = (weights_after_training() for _ in range(2))
    unchanged = weights_after_training(horizontal_flip=False, max_shift=0)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(one, other) for one, other in zip(first, unchanged, strict=True))


def test_each_epoch_and_each_seed_has_changes_of_its_own():
    first = Augmentation(True, 0.5).draw(ROWS[:50], 4, 6, epoch=0)
    np.testing.assert_array_equal(first, Augmentation(True, 0.5).draw(ROWS[:50], 4, 6, epoch=0))
    assert not np.array_equal(first, Augmentation(True, 0.5).draw(ROWS[:50], 4, 6, epoch=1))
    assert not np.array_equal(first, Augmentation(True, 0.5, seed=1).draw(ROWS[:50], 4, 6, epoch=0))


def test_alternately_each_picture_is_mirrored_in_every_other_epoch():
    augmentation = Augmentation("alternate", 0.2)
    rows = np.random.default_rng(1).permutation(200)  # each epoch has an order of its own
    even, odd, even_again = (
        augmentation.draw(order, 4, 6, epoch=epoch)[np.argsort(order), 0]
        for epoch, order in enumerate((ROWS, rows, rows[::-1]))
    )
    np.testing.assert_array_equal(odd, 1 - even)
    np.testing.assert_array_equal(even_again, even)
    assert 60 < even.sum() < 140


def test_which_half_is_mirrored_first_depends_on_the_seed():
    first, other = (Augmentation("alternate", seed=k).draw(ROWS, 4, 6, epoch=0) for k in (0, 1))
    assert not np.array_equal(first, other)


def test_classifier_changes_pictures_by_its_parameters():
    classifier = ConvolutionalClassifier(max_shift=0.25, max_rotation=10, cutout=0.5)
    assert classifier.augmentation() == Augmentation(False, 0.25, 10, 0.5)


def test_no_pictures_are_changed_unless_a_parameter_says_so():
    assert ConvolutionalClassifier().augmentation() is None
