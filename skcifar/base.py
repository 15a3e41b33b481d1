"""The base class of all classifiers: a Keras network in the shape of a scikit-learn estimator."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ._targets import combine_weights, one_hot
from ._validation import Interval, InvalidParameterError, StrOptions, validate_samples
from .networks import seeded_layers
from .training import (
    NetworkTrainer,
    compile_network,
    memory_error_told,
    predict_probabilities,
)


class NetworkClassifier(ClassifierMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of classifiers that train a Keras network.

    A subclass writes one method, :meth:`build_network`, and is an estimator that scikit-learn's
    checks can be run on. If it has parameters of its own, it names them all in its ``__init__``,
    as every scikit-learn estimator does.

    Parameters
    ----------
    learning_rate : float, default=5e-4
        Step size of the Adam optimizer.

    batch_size : int, default=32
        Number of samples for each step of the optimizer. If it exceeds the number of samples, a
        step takes them all.

    epochs : int, default=10
        Number of passes over the training samples.

    shuffle : bool, default=True
        Whether each epoch takes the samples in a new random order.

    class_weight : dict or "balanced", default=None
        Weights of classes in the loss, ``{class_label: weight}``. "balanced" makes each class
        count the same.

    warm_start : bool, default=False
        Whether ``fit`` starts from the weights of the previous ``fit`` instead of new ones. The
        network then stays as it was built, whatever parameters of it have changed since.

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the samples and Dropout. Pass an int for the
        same results every time.

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
        ``loss`` and ``accuracy`` of each epoch, as measured while training.
    """

    _parameter_constraints: dict = {  # noqa: RUF012 (scikit-learn's convention)
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "callbacks": [list, None],
    }

    def __init__(
        self,
        *,
        learning_rate=5e-4,
        batch_size=32,
        epochs=10,
        shuffle=True,
        class_weight=None,
        warm_start=False,
        random_state=None,
        verbose=0,
        callbacks=None,
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    def _validate_params(self):
        super()._validate_params()
        if any(not isinstance(c, keras.callbacks.Callback) for c in self.callbacks or ()):
            raise InvalidParameterError(
                f"The 'callbacks' parameter of {type(self).__name__} must be a list of instances of"
                f" 'keras.callbacks.Callback' or None. Got {self.callbacks!r} instead."
            )

    @abstractmethod
    def build_network(self, input_shape, n_classes):
        """Build the network from this estimator's parameters.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.

        n_classes : int
            Number of classes.

        Returns
        -------
        network : keras.Model
            Made with the Functional API and not compiled, with ``n_classes`` probabilities (a
            softmax) as output.
        """

    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Training samples.

        y : array-like of shape (n_samples,)
            Class labels: integers, strings or booleans.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the loss, not negative. Only their ratios count: they are
            divided by the mean of those that are not 0.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        self._validate_params()
        continues = self.warm_start and self.__sklearn_is_fitted__()
        if not continues:
            self._forget_training()
        X, y = self._validate_samples_and_labels(X, y, reset=not continues)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the"
                f" data contains only one class: {classes[0]!r}."
            )
        if continues and not np.array_equal(classes, self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous"
                f" call to fit. Previously got {self.classes_}, `y` has {classes}."
            )
        # Dividing by the mean of all weights, not of each batch's, keeps a batch of light samples
        # light. Samples of weight 0 count as none.
        weights = combine_weights(y, classes, self.class_weight, sample_weight)
        if weights is not None:
            weights *= np.count_nonzero(weights) / weights.sum()
        self._random_state = check_random_state(self.random_state)
        if continues:
            self._wrap_network()
        else:
            self._initialize(classes, seed=self._draw_seed())
        return self._train("fit", X, y, weights)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train the network for one more epoch, on these samples.

        Weights, optimizer and history go on from the calls before, be it of ``fit`` or of
        ``partial_fit``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Training samples.

        y : array-like of shape (n_samples,)
            Class labels.

        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed in the first call, may be left out afterwards.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the loss, not negative. They count as they are, since their
            mean over all calls is not known.

        Returns
        -------
        self : object
            The classifier, trained further.
        """
        self._validate_params()
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit, which never sees all"
                " samples. Compute the weights with"
                " sklearn.utils.class_weight.compute_class_weight on a large enough sample and"
                " pass them as a dict."
            )
        begins = not self.__sklearn_is_fitted__()
        if begins and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        X, y = self._validate_samples_and_labels(X, y, reset=begins)
        if begins:
            classes = np.unique(classes)
            if len(classes) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs at least 2 classes, but `classes` contains only"
                    f" one class: {classes[0]!r}."
                )
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was:"
                f" {self.classes_!r}"
            )
        known = classes if begins else self.classes_
        unknown = np.setdiff1d(y, known)
        if unknown.size:
            raise ValueError(f"`y` has labels {unknown} that are not in `classes`: {known}.")
        weights = combine_weights(y, known, self.class_weight, sample_weight)
        if begins:
            self._random_state = check_random_state(self.random_state)
            self._initialize(known, seed=self._draw_seed())
        self.model_.optimizer.learning_rate = float(self.learning_rate)
        return self._train("partial_fit", X, y, weights)

    def predict(self, X):
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Samples of the shape that was fitted.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,), dtype of ``classes_``
            The most probable class.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict the probability of each class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Samples of the shape that was fitted.

        Returns
        -------
        y_proba : ndarray of shape (n_samples, n_classes), dtype float32
            Columns in the order of ``classes_``. Of the dtype that Keras computes in, float32
            unless :func:`keras.config.set_floatx` says otherwise.
        """
        check_is_fitted(self)
        X = validate_samples(self, X, reset=False, dtype=keras.config.floatx())
        return predict_probabilities(self.model_, X)

    def restore_network(self, weights):
        """Build the network again from parameters and learned state, with given weights.

        For a classifier whose other fitted attributes were brought back, from a file for example.

        Parameters
        ----------
        weights : list of ndarray
            What ``model_.get_weights()`` gave.

        Raises
        ------
        ValueError
            If the weights are not those of this network.
        """
        self._validate_params()
        self._random_state = check_random_state(self.random_state)
        history = self.history_
        self._initialize(self.classes_, seed=0)  # any will do, the weights are replaced
        self.model_.set_weights(weights)
        self.keras_classifier_.history_ = history
        self._record_training()

    def __sklearn_is_fitted__(self):
        # the last to be set, and the first to go when training begins
        return hasattr(self, "n_iter_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _validate_samples_and_labels(self, X, y, *, reset):
        X, y = validate_samples(self, X, y, reset=reset, dtype=keras.config.floatx())
        check_classification_targets(y)
        return X, y

    def _initialize(self, classes, *, seed):
        """Begin anew: an untrained network for samples of ``sample_shape_``."""
        self.classes_ = classes
        with seeded_layers(seed), memory_error_told():
            network = self.build_network(self.sample_shape_, len(classes))
        if not isinstance(network, keras.Model) or network.output_shape != (None, len(classes)):
            raise ValueError(
                f"{type(self).__name__}.build_network must return a keras.Model with output of"
                f" shape (None, {len(classes)}), a probability for each class. Got"
                f" {getattr(network, 'output_shape', network)!r} instead."
            )
        nothing = np.zeros((1, *self.sample_shape_), keras.config.floatx())
        total = predict_probabilities(network, nothing).sum()
        if not np.isclose(total, 1, atol=1e-3):
            raise ValueError(
                f"{type(self).__name__}.build_network must return a network that ends in"
                f" probabilities, by a softmax. Its outputs add up to {total:.3g} instead of 1."
            )
        self.model_ = network
        self.history_ = {"loss": [], "accuracy": []}
        self._wrap_network()

    def _wrap_network(self):
        """Give the network a new optimizer and a new trainer, which goes on with the history."""
        compile_network(self.model_, learning_rate=self.learning_rate)
        self.keras_classifier_ = NetworkTrainer(
            model=self.model_,
            optimizer=self.model_.optimizer,
            loss=self.model_.loss,
            metrics=["accuracy"],
        )
        self.keras_classifier_.history_ = self.history_

    def _train(self, method, X, y, weights):
        """Let the trainer do its work; what fails on its way leaves an estimator unfitted."""
        self._forget_training()
        trainer = self.keras_classifier_.set_params(
            batch_size=self.batch_size,
            epochs=self.epochs,
            shuffle=self.shuffle,
            verbose=int(self.verbose),
            fit__seed=self._draw_seed(),
            fit__sample_weight=weights,
            fit__keras_callbacks=self.callbacks,
        )
        try:
            getattr(trainer, method)(X, one_hot(y, self.classes_))
        finally:  # weights take memory, and callbacks may hold what cannot be pickled
            trainer.set_params(fit__sample_weight=None, fit__keras_callbacks=None)
        return self._record_training()

    def _record_training(self):
        self.history_ = self.keras_classifier_.history_
        self.n_iter_ = len(self.history_["loss"])
        return self

    def _forget_training(self):
        vars(self).pop("n_iter_", None)

    def _draw_seed(self):
        return int(self._random_state.randint(np.iinfo(np.int32).max))
