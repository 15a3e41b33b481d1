"""The classifier by dense layers."""

from numbers import Real

from .._sklearn.validation import Interval, StrOptions, check_positive_integers
from ..networks import ACTIVATIONS, build_dense_network
from ._base import NetworkClassifier


class DenseClassifier(NetworkClassifier):
    """Classifier by a network of dense layers.

    The defaults are those of the article "A simple neural network for image classification": two
    hidden layers of 200 and 150 ReLU units, a softmax, categorical cross-entropy, Adam.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, default=(200, 150)
        Number of units of each hidden layer. None at all make a softmax regression.

    activation : {"elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", \
            "silu", "softplus", "softsign", "tanh"}, default="relu"
        Activation of the hidden layers. "leaky_relu" has a slope of 0.2.

    batch_normalization : bool, default=False
        Whether each hidden layer's sums are normalized over the batch before the activation, which
        allows larger steps.

    dropout : float, default=0.0
        Share of each hidden layer's outputs, in [0, 1), that is set to zero while training.

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
        Length of the second axis of X: the number of features of rows, the height of pictures.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during fit, where X has names that are all strings.

    sample_shape_ : tuple of int
        Shape of one sample seen during fit.

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
    NetworkClassifier : The base class, for networks of your own.
    make_dense_pipeline : Scales and flattens pictures for this classifier.
    sklearn.neural_network.MLPClassifier : Scikit-learn's network, for rows only.

    Notes
    -----
    Samples may be rows, or pictures of any number of axes, which the network then flattens. Pixels
    should be scaled to about 0 to 1.

    A ``sample_weight`` of 2 equals a repeated sample exactly only when every step sees all samples
    (``batch_size`` at least their number) and numbers are exact enough
    (``keras.config.set_floatx("float64")``, before the first network is built): smaller batches are
    drawn differently from a longer list of samples. The same is true of MLPClassifier with Adam.

    References
    ----------
    Diederik P. Kingma and Jimmy Ba, "Adam: A Method for Stochastic Optimization", 2014.
    https://arxiv.org/abs/1412.6980

    Examples
    --------
    >>> from skcifar import DenseClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = DenseClassifier(learning_rate=0.01, epochs=20, random_state=0)
    >>> classifier.fit(X, y).score(X, y) > 0.9
    True
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **NetworkClassifier._parameter_constraints,
        "hidden_layer_sizes": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "batch_normalization": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes=(200, 150),
        activation="relu",
        batch_normalization=False,
        dropout=0.0,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.batch_normalization = batch_normalization
        self.dropout = dropout

    def _validate_params(self):
        super()._validate_params()
        check_positive_integers(
            self.hidden_layer_sizes, name="hidden_layer_sizes", owner=type(self).__name__
        )

    def build_network(self, input_shape, n_classes):
        """Build the network; see :func:`build_dense_network`.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        n_classes : int
            Number of classes.

        Returns
        -------
        network : keras.Model
            Not compiled.
        """
        return build_dense_network(
            input_shape,
            n_classes,
            hidden_layer_sizes=[int(size) for size in self.hidden_layer_sizes],
            activation=self.activation,
            batch_normalization=bool(self.batch_normalization),
            dropout=self.dropout,
        )
