"""The classifier by a residual network."""

from numbers import Real

from .._sklearn.validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    check_positive_integers,
)
from ..networks import ACTIVATIONS, build_residual_network
from ._base import NetworkClassifier


class ResidualClassifier(NetworkClassifier):
    """Classifier of pictures by a small residual network, trained as one does today.

    The defaults are meant for CIFAR-10 on a processor without a GPU: a one-cycle step size, weight
    decay, smoothed labels, large batches, and pictures that are mirrored and shifted at random
    while training.

    Parameters
    ----------
    filters : array-like of int, default=(32, 64, 128)
        Number of filters of each stage; each stage halves height and width.

    activation : {"elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", \
            "silu", "softplus", "softsign", "tanh"}, default="relu"
        Activation after each convolution. "leaky_relu" has a slope of 0.3.

    horizontal_flip : bool, default=True
        Whether each picture is mirrored, left to right, every second time on average that the
        network trains on it. Not for letters and digits, which then mean something else.

    max_shift : float, default=0.125
        By which share of their height and width, in [0, 1), pictures are shifted at most while
        training, up or down and to a side.

    learning_rate : float, default=0.02
        Step size of the Adam optimizer, the largest one if it follows a schedule.

    learning_rate_schedule : {"constant", "cosine", "one-cycle"}, default="one-cycle"
        How the step size changes over all steps of ``fit``. "cosine" lowers it to 0 along half a
        cosine; "one-cycle" does so after raising it from a 25th over the first 30 % of the steps.

    weight_decay : float, default=0.05
        Decoupled weight decay (AdamW): each step takes the share ``weight_decay`` times the step
        size off all weights.

    label_smoothing : float, default=0.1
        Share of each label, in [0, 1), that the loss spreads evenly over all classes while
        training, so that the network does not become too sure of itself. ``val_loss`` is that of
        the labels as they are.

    batch_size : int, default=256
        Number of samples for each step of the optimizer. If it exceeds the number of samples, a
        step takes them all.

    epochs : int, default=12
        Number of passes over the training samples.

    shuffle : bool, default=True
        Whether each epoch takes the samples in a new random order.

    early_stopping : bool, default=False
        Whether to stop when ``val_accuracy`` makes no progress. The weights of the epoch where it
        was best are then brought back, however training ended.

    validation_fraction : float, default=None
        Share of the samples, in (0, 1), that ``fit`` keeps from training and validates on after
        each epoch, the same share of each class. Not used when ``fit`` is given ``X_val``. None
        holds out nothing, or a tenth where ``early_stopping`` needs it.

    n_iter_no_change : int, default=5
        Epochs without progress that end the training if ``early_stopping`` is set.

    tol : float, default=1e-4
        By how much ``val_accuracy`` has to exceed the best one before it to count as progress.

    class_weight : dict or "balanced", default=None
        Weights of classes in the loss, ``{class_label: weight}``. "balanced" makes each class
        count the same.

    warm_start : bool, default=False
        Whether ``fit`` starts from the weights of the previous ``fit`` instead of new ones. The
        network then stays as it was built, whatever parameters of it have changed since.

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the samples, which of them are held out, and
        how pictures are changed. Pass an int for the same results every time.

    checkpoint : str or path-like, default=None
        A file that ``fit`` writes after each epoch, and goes on from if it is there: killed and
        called again alike, ``fit`` ends with the weights of an unbroken one. One that is there
        from another training is an error. Each fit needs a file of its own, so this is not for
        searches. Not used by ``partial_fit``.

    verbose : {0, 1, 2}, default=0
        Print nothing, a progress bar, or a line for each epoch.

    callbacks : list of keras.callbacks.Callback, default=None
        Called by Keras as it trains. They are not copied, so that they can be asked afterwards.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.

    n_features_in_ : int
        Length of the second axis of X, the height of the pictures.

    sample_shape_ : tuple of int
        ``(height, width, n_channels)`` of the pictures seen during fit.

    model_ : keras.Model
        The trained network.

    keras_classifier_ : scikeras.wrappers.KerasClassifier
        What trained it.

    n_iter_ : int
        Number of epochs that the network has been trained.

    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch, as measured while training, and ``val_loss`` and
        ``val_accuracy`` if there was something to validate on (NaN in epochs that had nothing).

    best_iter_ : int or None
        The epoch with the best ``val_accuracy`` of the last ``fit``, counted from 1. None if there
        was nothing to validate on, as in ``partial_fit``.

    best_validation_score_ : float or None
        That ``val_accuracy``.

    See Also
    --------
    make_residual_pipeline : Scales pictures for this classifier.
    ConvolutionalClassifier : Less accurate, and faster.

    Notes
    -----
    X has the shape (n_samples, height, width, n_channels), with any number of channels. Pixels
    should be scaled to about 0 to 1.

    ``loss`` and ``accuracy`` in ``history_`` are of the changed pictures and of the smoothed labels
    that the network is trained on: they look worse than what the network then does on pictures as
    they are. ``partial_fit`` asks for ``learning_rate_schedule="constant"``.

    Keras does not compile the layer that shifts pictures. On JAX, each step then takes half a
    second instead of milliseconds; ``max_shift=0`` leaves that layer out.

    Examples
    --------
    >>> from skcifar import ResidualClassifier, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4] / 255  # 8 by 8 pixels
    >>> classifier = ResidualClassifier(
    ...     filters=(8, 16),
    ...     batch_size=32,
    ...     horizontal_flip=False,
    ...     max_shift=0,
    ...     epochs=3,
    ...     random_state=0,
    ... )
    >>> classifier.fit(X, y).score(X, y) > 0.9
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **NetworkClassifier._parameter_constraints,
        "filters": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "horizontal_flip": ["boolean"],
        "max_shift": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        filters=(32, 64, 128),
        activation="relu",
        horizontal_flip=True,
        max_shift=0.125,
        learning_rate=0.02,
        learning_rate_schedule="one-cycle",
        weight_decay=0.05,
        label_smoothing=0.1,
        batch_size=256,
        epochs=12,
        shuffle=True,
        early_stopping=False,
        validation_fraction=None,
        n_iter_no_change=5,
        tol=1e-4,
        class_weight=None,
        warm_start=False,
        random_state=None,
        checkpoint=None,
        verbose=0,
        callbacks=None,
    ):
        super().__init__(
            learning_rate=learning_rate,
            learning_rate_schedule=learning_rate_schedule,
            weight_decay=weight_decay,
            label_smoothing=label_smoothing,
            batch_size=batch_size,
            epochs=epochs,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            class_weight=class_weight,
            warm_start=warm_start,
            random_state=random_state,
            checkpoint=checkpoint,
            verbose=verbose,
            callbacks=callbacks,
        )
        self.filters = filters
        self.activation = activation
        self.horizontal_flip = horizontal_flip
        self.max_shift = max_shift

    def _validate_params(self):
        super()._validate_params()
        check_positive_integers(self.filters, name="filters", owner=type(self).__name__)
        if not len(self.filters):
            raise InvalidParameterError(
                f"The 'filters' parameter of {type(self).__name__} must have one number at least."
                f" Got {self.filters!r} instead."
            )

    def build_network(self, input_shape, n_classes):
        """Build the network; see :func:`build_residual_network`.

        Parameters
        ----------
        input_shape : tuple of int
            ``(height, width, n_channels)`` of one picture.

        n_classes : int
            Number of classes.

        Returns
        -------
        network : keras.Model
            Not compiled.
        """
        return build_residual_network(
            input_shape,
            n_classes,
            filters=[int(number) for number in self.filters],
            activation=self.activation,
            horizontal_flip=bool(self.horizontal_flip),
            max_shift=float(self.max_shift),  # Keras takes no number of NumPy's here
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = False  # four
        return tags
