"""What augmentation makes of pictures, compared by what is drawn."""

import numpy as np
import pytest
from given_axes import assert_drawn_in_place

from skcifar import (
    AugmentationDisplay,
    ConvolutionalClassifier,
    DenseClassifier,
    make_convolutional_pipeline,
)

X = np.random.default_rng(0).integers(256, size=(12, 6, 8, 3), dtype=np.uint8)


def test_variants_are_drawn_under_each_picture():
    pipeline = make_convolutional_pipeline(horizontal_flip=True)
    display = AugmentationDisplay.from_estimator(pipeline, X, n_images=5, random_state=0)
    assert display.axes_.shape == (4, 5)
    for column, picture in enumerate(display.images):
        np.testing.assert_array_equal(display.axes_[0, column].images[0].get_array(), picture)
        for axes in display.axes_[1:, column]:
            seen = np.asarray(axes.images[0].get_array())
            assert any(np.array_equal(seen, like) for like in (picture, picture[:, ::-1]))


def test_variants_are_of_epochs_one_after_another():
    pipeline = make_convolutional_pipeline(horizontal_flip="alternate")
    variants = AugmentationDisplay.from_estimator(pipeline, X, random_state=0).variants
    np.testing.assert_array_equal(variants[1], variants[0][:, :, ::-1])
    np.testing.assert_array_equal(variants[2], variants[0])


def test_grey_pictures_and_floats_are_drawn():
    classifier = ConvolutionalClassifier(max_rotation=20)
    display = AugmentationDisplay.from_estimator(classifier, X[..., 0] / 255, n_variants=1)
    assert display.variants.shape == (1, 8, 6, 8)


def test_same_random_state_gives_the_same_picture():
    classifier = ConvolutionalClassifier(max_shift=0.5)
    one, other = (
        AugmentationDisplay.from_estimator(classifier, X, random_state=1) for _ in range(2)
    )
    np.testing.assert_array_equal(one.variants, other.variants)


@pytest.mark.parametrize("layout", ["constrained", None])
def test_given_axes_are_drawn_in(layout):
    classifier = ConvolutionalClassifier(cutout=0.5)
    assert_drawn_in_place(
        lambda ax: AugmentationDisplay.from_estimator(classifier, X, ax=ax), layout=layout
    )


@pytest.mark.parametrize("classifier", [ConvolutionalClassifier(), DenseClassifier()])
def test_who_changes_no_pictures_is_refused(classifier):
    with pytest.raises(ValueError, match="does not augment pictures"):
        AugmentationDisplay.from_estimator(classifier, X)
