"""The form in which every loader here gives its pictures."""

from sklearn.utils import Bunch

from .._lazy import LazyImages


def picture_bunch(images, target, *, target_names, DESCR, **more):
    """Put pictures and labels into a Bunch, the pictures as rows too, in the same memory."""
    lazy = isinstance(images, LazyImages)
    return Bunch(
        images=images,
        data=images.flattened() if lazy else images.reshape(len(images), -1),
        target=target,
        target_names=target_names,
        DESCR=DESCR,
        **more,
    )
