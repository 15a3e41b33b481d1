"""The form in which every loader here gives its pictures."""

from sklearn.utils import Bunch

from .._lazy import LazyImages


def picture_bunch(images, target, *, target_names, DESCR, **more):
    """Put pictures and labels into a Bunch, the pictures as rows too.

    Parameters
    ----------
    images : ndarray or LazyImages of shape (n_samples, height, width, 3), dtype uint8
        The pictures.

    target : ndarray of shape (n_samples,)
        The class of each, an index into ``target_names``.

    target_names : ndarray of shape (n_classes,), dtype str
        The names of the classes.

    DESCR : str
        A description of the data set.

    **more
        What else the Bunch is to hold.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        With ``data``, the pictures as rows of numbers, in the same memory.
    """
    lazy = isinstance(images, LazyImages)
    return Bunch(
        images=images,
        data=images.flattened() if lazy else images.reshape(len(images), -1),
        target=target,
        target_names=target_names,
        DESCR=DESCR,
        **more,
    )
