"""The classifier by convolutions."""

from numbers import Integral, Real

from .._sklearn.validation import Interval, StrOptions, check_positive_integers
from ..networks import ACTIVATIONS, build_convolutional_network
from ._base import NetworkClassifier


class ConvolutionalClassifier(NetworkClassifier):
    """Classifier of pictures by a network of convolutions.

    The defaults are those of the network that the sequel of the article "A simple neural network
    for image classification" compares with the dense one: four convolutions of 3 by 3 pixels, each
    with batch normalization and LeakyReLU, then a dense layer, dropout and a softmax.

    Parameters
    ----------
    filters : array-like of int, default=(32, 32, 64, 64)
        Number of filters of each convolution.

    strides : array-like of int, default=(1, 2, 1, 2)
        By how many pixels each convolution moves on: 2 halves height and width. As many as filters.

    kernel_size : int, default=3
        Height and width of all filters, in pixels.

    hidden_layer_sizes : array-like of int, default=(128,)
        Number of units of each dense layer after the convolutions.

    activation : {"elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", \
            "silu", "softplus", "softsign", "tanh"}, default="leaky_relu"
        Activation of convolutions and dense layers. "leaky_relu" has a slope of 0.3.

    batch_normalization : bool, default=True
        Whether what each convolution and each dense layer sums up is normalized over the batch
        before the activation.

    dropout : float, default=0.5
        Share of each dense layer's outputs, in [0, 1), that is set to zero while training.

    learning_rate : float, default=5e-4
        Step size of the Adam optimizer, the largest one if it follows a schedule.

    learning_rate_schedule : {"constant", "cosine", "one-cycle"}, default="constant"
        How the step size changes over all steps of ``fit``. "cosine" lowers it to 0 along half a
        cosine; "one-cycle" does so after raising it from a 25th over the first 30 % of the steps.

    weight_decay : float, default=0.0
        Decoupled weight decay (AdamW): each step takes the share ``weight_decay`` times the step
        size off all weights.

    label_smoothing : float, default=0.0
        Share of each label, in [0, 1), that the loss spreads evenly over all classes while
        training, so that the network does not become too sure of itself. ``val_loss`` is that of
        the labels as they are.

    batch_size : int, default=32
        Number of samples for each step of the optimizer. If it exceeds the number of samples, a
        step takes them all.

    epochs : int, default=10
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
        dropout. Pass an int for the same results every time.

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
    make_convolutional_pipeline : Scales pictures for this classifier.
    ResidualClassifier : More accurate, and slower.
    DenseClassifier : Does not see which pixels are neighbours.

    Notes
    -----
    X has the shape (n_samples, height, width, n_channels), with any number of channels: 1 of grey
    pictures, 3 of coloured ones. Pixels should be scaled to about 0 to 1.

    References
    ----------
    David Foster, "Generative Deep Learning", 2019, chapter 2.

    Examples
    --------
    >>> from skcifar import ConvolutionalClassifier, load_digit_images
    >>> X, y = load_digit_images(return_X_y=True)
    >>> X = X[:, ::4, ::4] / 255  # 8 by 8 pixels
    >>> classifier = ConvolutionalClassifier(
    ...     filters=(8, 16), strides=(2, 2), learning_rate=0.002, epochs=5, random_state=0
    ... )
    >>> classifier.fit(X, y).score(X, y) > 0.9
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **NetworkClassifier._parameter_constraints,
        "filters": ["array-like"],
        "strides": ["array-like"],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "batch_normalization": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        filters=(32, 32, 64, 64),
        strides=(1, 2, 1, 2),
        kernel_size=3,
        hidden_layer_sizes=(128,),
        activation="leaky_relu",
        batch_normalization=True,
        dropout=0.5,
        learning_rate=5e-4,
        learning_rate_schedule="constant",
        weight_decay=0.0,
        label_smoothing=0.0,
        batch_size=32,
        epochs=10,
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
        self.strides = strides
        self.kernel_size = kernel_size
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.batch_normalization = batch_normalization
        self.dropout = dropout

    def _validate_params(self):
        super()._validate_params()
        for name in ("filters", "strides", "hidden_layer_sizes"):
            check_positive_integers(getattr(self, name), name=name, owner=type(self).__name__)

    def build_network(self, input_shape, n_classes):
        """Build the network; see :func:`build_convolutional_network`.

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
        return build_convolutional_network(
            input_shape,
            n_classes,
            filters=[int(number) for number in self.filters],
            strides=[int(stride) for stride in self.strides],
            kernel_size=int(self.kernel_size),
            hidden_layer_sizes=[int(size) for size in self.hidden_layer_sizes],
            activation=self.activation,
            batch_normalization=bool(self.batch_normalization),
            dropout=self.dropout,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = False  # four
        return tags
