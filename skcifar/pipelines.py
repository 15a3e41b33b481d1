"""Whole ways from pictures to classes, as scikit-learn Pipelines."""

from sklearn import get_config
from sklearn.pipeline import Pipeline

from .classifiers import DenseClassifier
from .preprocessing import ImageFlattener, PixelScaler


def make_dense_pipeline(**params):
    """Make the article's pipeline: scale pixels, flatten pictures, classify by a dense network.

    Parameters
    ----------
    **params
        Parameters of :class:`DenseClassifier`, by name.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        With steps ``scale``, ``flatten`` and ``classify``. Takes pictures as they are read:
        integers from 0 to 255 of shape (n_samples, height, width, n_channels).

    Notes
    -----
    Where metadata routing is switched on when the pipeline is made, by
    ``sklearn.set_config(enable_metadata_routing=True)``, its ``transform_input`` is ``["X_val"]``:
    validation pictures that ``fit`` is given are then scaled and flattened as all others.

    Examples
    --------
    >>> from skcifar import load_digit_images, make_dense_pipeline
    >>> X, y = load_digit_images(return_X_y=True)
    >>> pipeline = make_dense_pipeline(random_state=0).fit(X, y)
    >>> X_test, y_test = load_digit_images(subset="test", return_X_y=True)
    >>> pipeline.score(X_test, y_test) > 0.9
    True
    """
    return Pipeline(
        [
            ("scale", PixelScaler()),
            ("flatten", ImageFlattener()),
            ("classify", DenseClassifier(**params)),
        ],
        # scikit-learn refuses to fit a pipeline that has this while routing is off
        transform_input=["X_val"] if get_config()["enable_metadata_routing"] else None,
    )
