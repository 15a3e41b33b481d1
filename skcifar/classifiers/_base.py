"""The base class of all classifiers: a Keras network in the shape of a scikit-learn estimator."""

import copy
import math
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from time import monotonic
from typing import ClassVar, Self

import keras
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .._keras import check_image_data_format, keras_settings, set_policy_of_task
from .._lazy import LazyImages
from .._sklearn.callbacks import CallbackSupportMixin, with_callbacks
from .._sklearn.html import DocumentedMixin, TableInHTMLMixin
from .._sklearn.validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    check_moves,
    validate_samples,
)
from ..networks import seeded_layers
from ..training._augmentation import Augmentation
from ..training._callbacks import EpochTasks, check_callbacks
from ..training._fit import compile_network, make_trainer, update_compiled
from ..training._history import attributes_of_history, joined_histories
from ..training._optimizers import OPTIMIZERS, differ_in_numbers_only, make_optimizer
from ..training._predict import check_probabilities, memory_errors_explained, predict_probabilities
from ..training._schedules import SHAPES
from ._choices import ChosenParametersMixin
from ._fitting import open_checkpoint, train
from ._labels import (
    check_labels,
    classes_to_fit,
    classes_to_partial_fit,
    combine_weights,
    with_mean_of_one,
)
from ._pickling import CopyableNetworkMixin
from ._validation_set import check_validation_set, hold_out, reported_samples, without

# What early stopping holds out by default, as in MLPClassifier.
DEFAULT_VALIDATION_FRACTION = 0.1


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(
    ChosenParametersMixin,
    CopyableNetworkMixin,
    TableInHTMLMixin,
    DocumentedMixin,
    CallbackSupportMixin,
    ClassifierMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of classifiers that train a Keras network.

    A subclass writes one method, :meth:`build_network`, and is an estimator that scikit-learn's
    checks can be run on. Parameters of its own are fields of a dataclass, made by
    ``@dataclass(kw_only=True, eq=False, repr=False)`` as this one is, or arguments of its own
    ``__init__``, which then names all that it takes and hands the shared ones on.

    Parameters
    ----------
    optimizer : {"adam", "sgd", "muon"} or keras.optimizers.Optimizer, default="adam"
        What makes the steps. "sgd" has a Nesterov momentum of 0.9; "muon" orthogonalizes the steps
        of all matrices but the last one, and keeps the norm of filter banks. One of your own, of a
        class of Keras or one that is registered with
        :func:`keras.saving.register_keras_serializable`, is copied for each ``fit``. It has a
        learning rate, a schedule and weight decay itself, so that ``learning_rate`` and
        ``learning_rate_schedule`` have to be "auto", and ``weight_decay`` 0. It cannot be in a
        model file.

    learning_rate : float or "auto", default="auto"
        Step size, the largest one if it follows a schedule. "auto" is the value for the optimizer
        in {'adam': 0.0005, 'sgd': 0.01, 'muon': 0.01}.

    learning_rate_schedule : {"auto", "constant", "linear", "cosine", "one-cycle"}, default="auto"
        How the step size changes over all steps of ``fit``. "linear" lowers it to 0 along a line,
        "cosine" along half a cosine; "one-cycle" does so after raising it from a 25th over the
        first 30 % of the steps.

    weight_decay : float, default=0.0
        Decoupled weight decay (AdamW, where that is Adam): each step takes the share
        ``weight_decay`` times the step size off all weights.

    label_smoothing : float, default=0.0
        Share of each label, in [0, 1), that the loss spreads evenly over all classes while
        training, so that the network does not become too sure of itself. ``val_loss`` is that of
        the labels as they are.

    batch_size : int or "auto", default="auto"
        Number of samples for each step of the optimizer. If it exceeds the number of samples, a
        step takes them all. "auto" is 32.

    epochs : float or "auto", default="auto"
        Number of passes over the training samples. A fraction is one over a part of them. "auto" is
        10, or with ``max_minutes`` as many as there is time for, 100 at most.

    max_minutes : float, default=None
        The time that ``fit`` may take, compiling and validating included. It decides how many steps
        are made, and what "auto" stands for; the learning rate comes to the end of its schedule
        with the time. ``fit`` is over by then, or by a twentieth of the time later at most, or 5
        seconds; it is shorter where ``epochs`` come first, and makes a step or two where compiling
        alone takes longer. What was chosen is in ``chosen_``. Not for ``partial_fit``.

    shuffle : bool, default=True
        Whether each epoch takes the samples in a new random order.

    early_stopping : bool, default=False
        Whether to stop when ``val_accuracy`` makes no progress. The weights of the epoch where it
        was best are then brought back, however training ended.

    validation_fraction : float, default=None
        Share of the samples, in (0, 1), that ``fit`` keeps from training and validates on after
        each epoch, the same share of each class as far as there are enough of it, with a warning
        where not. Not used when ``fit`` is given ``X_val``. None holds out nothing, or a tenth
        where ``early_stopping`` needs it.

    n_iter_no_change : int, default=5
        Epochs without progress that end the training if ``early_stopping`` is set.

    tol : float, default=1e-4
        By how much ``val_accuracy`` has to exceed the best one before it to count as progress.

    class_weight : dict or "balanced", default=None
        Weights of the classes in the loss; "balanced" lets each count the same, however rare.
        ``{class_label: weight}`` gives others.

    warm_start : bool, default=False
        Whether ``fit`` starts from the weights of the previous ``fit`` instead of new ones. The
        network then stays as it was built, whatever parameters of it have changed since.

    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the samples, which of them are held out, and
        what layers draw while training: what Dropout leaves out, how pictures are changed. Pass an
        int for the same results every time.

    checkpoint : str or path-like, default=None
        A file that ``fit`` writes after each epoch, and goes on from if it is there: killed and
        called again alike, ``fit`` ends with the weights of an unbroken one, and trains no further
        than ``epochs``. One that is there from another training is an error, and so are
        ``callbacks`` that remember epochs, which the file does not hold. Each fit needs a file of
        its own, so this is not for searches. Not used by ``partial_fit``.

    verbose : int, default=0
        0 prints nothing, 1 a progress bar, and what is more a line for each epoch.

    schedule_moves : array-like of shape (n_moves, 2), default=None
        At which steps the end of the learning rate's schedule is moved, and the number of steps
        that it is moved to, as ``chosen_`` has them of a training with ``max_minutes``. For
        repeating such a training.

    callbacks : list of keras.callbacks.Callback, default=None
        Called by Keras as it trains. ``fit`` does not copy them, so that they can be read
        afterwards; :func:`sklearn.base.clone` does. In pickles and copies of a fitted classifier
        those are left out that cannot be pickled, and all of them in model files. None may set the
        learning rate where ``learning_rate_schedule`` does so, nor exchange the weights for
        averages (``SwapEMAWeights``).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.

    n_features_in_ : int
        Length of the second axis of X: the number of features of rows, the height of pictures.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of features seen during fit, where X has names that are all strings.

    sample_shape_ : tuple of int
        Shape of one sample seen during fit.

    chosen_ : dict
        What the parameters that are "auto" stood for in the last ``fit``. With ``max_minutes`` it
        has all that repeats the training without a clock: ``set_params(**chosen_)``.

    model_ : keras.Model
        The trained network.

    network_seed_ : int
        The seed that ``model_`` was built with, for :meth:`build_network` to hand on to layers.

    keras_classifier_ : scikeras.wrappers.KerasClassifier
        What trained it.

    n_iter_ : int
        Number of epochs that the network has been trained.

    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch, as measured while training, and ``val_loss`` and
        ``val_accuracy`` if there was something to validate on. ``learning_rate``, the step size
        when the epoch was over, if it follows a schedule; where a callback of Keras sets it, that
        of the epoch. All other numbers that callbacks add to the logs of an epoch are here too. NaN
        in epochs that lack one.

    best_iter_ : int or None
        The epoch with the best ``val_accuracy`` of the last ``fit``, counted from 1. None if there
        was nothing to validate on, as in ``partial_fit``.

    best_validation_score_ : float or None
        That ``val_accuracy``.

    See Also
    --------
    ImageClassifier : Adds what changes pictures while training.
    DenseClassifier : Has a network already.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from skcifar import NetworkClassifier  # before Keras
    >>> import keras
    >>> from sklearn.datasets import load_iris
    >>> @dataclass(kw_only=True, eq=False, repr=False)
    ... class LinearClassifier(NetworkClassifier):
    ...     use_bias: bool = True
    ...
    ...     def build_network(self, input_shape, n_classes):
    ...         inputs = keras.Input(input_shape)
    ...         layer = keras.layers.Dense(n_classes, "softmax", use_bias=self.use_bias)
    ...         return keras.Model(inputs, layer(inputs))
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = LinearClassifier(learning_rate=0.02, epochs=20, random_state=0)
    >>> classifier.fit(X, y).score(X, y) > 0.8
    True
    """

    optimizer: str | keras.optimizers.Optimizer = "adam"
    learning_rate: float | str = "auto"
    learning_rate_schedule: str = "auto"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    batch_size: int | str = "auto"
    epochs: float | str = "auto"
    max_minutes: float | None = None
    shuffle: bool = True
    early_stopping: bool = False
    validation_fraction: float | None = None
    n_iter_no_change: int = 5
    tol: float = 1e-4
    class_weight: dict | str | None = None
    warm_start: bool = False
    random_state: int | np.random.RandomState | None = None
    checkpoint: str | os.PathLike | None = None
    verbose: int = 0
    schedule_moves: Sequence[Sequence[int]] | None = None
    callbacks: list | None = None

    network_seed_ = None  # until a network is built

    # what a Pipeline with metadata routing hands on to fit where nothing is requested
    __metadata_request__fit = {"X_val": True, "y_val": True}  # noqa: RUF012

    _parameter_constraints: ClassVar[dict] = {
        "optimizer": [StrOptions(set(OPTIMIZERS)), keras.optimizers.Optimizer],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "learning_rate_schedule": [StrOptions({"auto", "constant", *SHAPES})],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "epochs": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "max_minutes": [Interval(Real, 0, None, closed="neither"), None],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "checkpoint": [str, os.PathLike, None],
        "verbose": ["verbose"],
        "schedule_moves": ["array-like", None],
        "callbacks": [list, None],
    }

    def _validate_params(self):
        super()._validate_params()
        check_image_data_format()
        if any(not isinstance(c, keras.callbacks.Callback) for c in self.callbacks or ()):
            raise InvalidParameterError(
                f"The 'callbacks' parameter of {type(self).__name__} must be a list of instances of"
                f" 'keras.callbacks.Callback' or None. Got {self.callbacks!r} instead."
            )
        check_moves(self.schedule_moves, owner=type(self).__name__)
        check_callbacks(
            self.callbacks or (),
            owner=type(self).__name__,
            learning_rate_schedule=self._name_of_schedule(),
        )
        needed = {"learning_rate": "auto", "learning_rate_schedule": "auto", "weight_decay": 0}
        for name, value in needed.items():
            if not isinstance(self.optimizer, str) and getattr(self, name) != value:
                raise InvalidParameterError(
                    f"The {name!r} parameter of {type(self).__name__} must be {value!r} where"
                    f" optimizer is one of your own. Got {getattr(self, name)!r} instead. Set it in"
                    " the optimizer, or give this by its name."
                )

    @abstractmethod
    def build_network(self, input_shape: tuple[int, ...], n_classes: int) -> keras.Model:
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

    def adapt_network(
        self, network: keras.Model, X: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> None:
        """Let the network take what it needs from the training samples before it is trained.

        Called by ``fit`` and by the first ``partial_fit``; what is taken are values of variables
        of the network. Does nothing by default.

        Parameters
        ----------
        network : keras.Model
            From :meth:`build_network`. Changed in place.

        X : ndarray of shape (n_samples, ...)
            The samples. Pictures may come in an object that becomes an array by
            :func:`numpy.asarray`, and is indexed by rows like it.

        sample_weight : ndarray of shape (n_samples,), default=None
            Weights of the samples, 0 for those that are not trained on, such as held out ones.
        """

    @with_callbacks
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
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

        X_val : array-like of shape (n_val_samples, ...), default=None
            Samples to validate on after each epoch, of the same shape as those of X. In a Pipeline
            they take the steps before if metadata routing is enabled and the Pipeline has
            ``transform_input=["X_val"]``, as that of :func:`make_dense_pipeline`; without it they
            come as they are given.

        y_val : array-like of shape (n_val_samples,), default=None
            Class labels of X_val.

        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Weights of X_val in ``val_loss`` and ``val_accuracy``.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        begin = monotonic()
        set_policy_of_task()
        self._validate_params()
        continues = self.warm_start and self.__sklearn_is_fitted__()
        if not continues:
            self._forget_training()

        X, y = self._validate_samples_and_labels(X, y, reset=not continues)
        classes = classes_to_fit(self, y, continues=continues)
        weights = combine_weights(y, classes, self.class_weight, sample_weight)
        validation = check_validation_set(self, X_val, y_val, sample_weight_val, classes)

        self._random_state = check_random_state(self.random_state)
        checkpoint = open_checkpoint(
            self, X, y, weights, validation, classes=classes, continues=continues
        )
        budget = self._choose(len(X), begin, checkpoint)
        if not continues:
            self._initialize(classes)
        seed = self._draw_seed()
        held_out = None if validation is not None else self._hold_out(y, weights)
        if held_out is not None:
            # Both sides share X, of which they leave out what has no weight.
            validation = X, y, without(combine_weights(y, classes, None, sample_weight), ~held_out)
            weights = without(weights, held_out)
        weights = with_mean_of_one(weights)

        if continues:
            self._compile()
        else:
            self._adapt_and_compile(X, weights)
            resumes = checkpoint is not None and checkpoint.is_there
            if budget is not None and not resumes and self._choose_again(X, y, weights):
                self.model_ = self._build_network(classes, seed=self.network_seed_)
                self._adapt_and_compile(X, weights)

        tasks = EpochTasks(
            self,
            epochs=None if budget else math.ceil(self.value_of("epochs")),
            fitted_attributes=self._attributes_after,
            **reported_samples(X, y, sample_weight, held_out),
        )
        train(
            self,
            "fit",
            X,
            y,
            weights,
            seed=seed,
            schedule=self._schedule(),
            budget=budget,
            validation=validation,
            tasks=tasks,
            checkpoint=checkpoint,
        )
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train the network for one more epoch, on these samples.

        Weights, optimizer and history go on from the calls before, be it of ``fit`` or of
        ``partial_fit``. Another ``optimizer`` than before begins anew.

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
        set_policy_of_task()
        self._validate_params()
        self._check_partial_fit_params()
        begins = not self.__sklearn_is_fitted__()
        if begins and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        X, y = self._validate_samples_and_labels(X, y, reset=begins)
        known = classes_to_partial_fit(self, classes, begins=begins)
        check_labels(
            y, known, message="`y` has labels {unknown} that are not in `classes`: {classes}."
        )
        weights = combine_weights(y, known, self.class_weight, sample_weight)
        if begins:
            self.chosen_ = self._chosen_of(self._auto_values())
            self._random_state = check_random_state(self.random_state)
            self._initialize(known)
            self.adapt_network(self.model_, X, weights)
        optimizer = make_optimizer(**self._params_of_optimizer())
        if begins or not differ_in_numbers_only(self.model_.optimizer, optimizer):
            self._compile()
        update_compiled(self.model_, optimizer, label_smoothing=self.label_smoothing)
        train(self, "partial_fit", X, y, weights, seed=self._draw_seed())
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
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

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict the probability of each class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Samples of the shape that was fitted.

        Returns
        -------
        y_proba : ndarray of shape (n_samples, n_classes), dtype float32
            Columns in the order of ``classes_``. Of the dtype of the weights, float32 unless
            :func:`keras.config.set_floatx` says otherwise, under mixed precision too.

        Notes
        -----
        A sample's probabilities are the same, bit for bit, whatever else is in X: 48 rows, or 24
        pictures, go through the network at a time, the last ones filled up with copies of the last
        sample. That cannot hold for a network of your own with a layer that mixes the samples of
        a batch when it predicts; such a layer sees the 48 or 24 that happen to go together.
        """
        check_is_fitted(self)
        X = validate_samples(self, X, reset=False, dtype=keras.config.floatx())
        return predict_probabilities(self.network_of_predictions(), X)

    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict the logarithm of the probability of each class for each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, height, width[, n_channels])
            Samples of the shape that was fitted.

        Returns
        -------
        y_log_proba : ndarray of shape (n_samples, n_classes), dtype of ``predict_proba``
            Minus infinity where a probability is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def network_of_predictions(self) -> keras.Model:
        """Return the network whose outputs are the probabilities that are predicted.

        Returns
        -------
        network : keras.Model
            ``model_``, or one that it is a part of.
        """
        return self.model_

    def keras_settings(self) -> dict:
        """Return the settings of Keras that results depend on beside parameters and data.

        Returns
        -------
        settings : dict of str to (str or float)
            By the names that model files give them.
        """
        return keras_settings()

    def augmentation(self) -> Augmentation | None:
        """Return how pictures are changed at random while the network is trained on them.

        Returns
        -------
        augmentation : Augmentation or None
            None, since only classifiers of pictures change any.
        """
        return None

    def _frozen_and_trained(self):
        """Return the parts of the network before and after what samples need to pass once only."""
        return None

    def _data_of_training(self):
        """Return arrays, by a name, that training depends on beside parameters and samples."""
        return {}

    def describe_for_notebooks(self) -> tuple[str, list[tuple]]:
        """Describe the layers of the network for the page that notebooks show.

        Returns
        -------
        title : str
            The title of the table.
        rows : list of tuple
            Headers, then name, kind, output shape and number of weights of each layer.
        """
        check_is_fitted(self)
        rows = [("Layer", "Kind", "Output shape", "Weights")]
        for layer in self.model_.layers:
            output = keras.tree.map_structure(lambda tensor: tuple(tensor.shape[1:]), layer.output)
            rows.append((layer.name, type(layer).__name__, output, f"{layer.count_params():,}"))
        title = f"Network: {len(rows) - 1} layers, {self.model_.count_params():,} weights"
        return title, rows

    def __sklearn_is_fitted__(self):
        # the last to be set, and the first to go when training begins
        return hasattr(self, "n_iter_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _check_partial_fit_params(self):
        """Raise if a parameter needs to know all samples, or how many epochs there will be."""
        for name, value in (
            ("early_stopping", False),
            ("max_minutes", None),
            ("learning_rate_schedule", "constant"),
        ):
            if getattr(self, name) not in ("auto", value):
                raise ValueError(
                    f"{name}={getattr(self, name)!r} is not supported for partial_fit, which does"
                    f" not know how much will come. Set {name}={value!r}, or call fit."
                )
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit, which never sees all"
                " samples. Compute the weights with"
                " sklearn.utils.class_weight.compute_class_weight on a large enough sample and"
                " pass them as a dict."
            )

    def _validate_samples_and_labels(self, X, y, *, reset):
        X, y = validate_samples(self, X, y, reset=reset, dtype=keras.config.floatx())
        check_classification_targets(y)
        if not isinstance(X, LazyImages):
            X = np.ascontiguousarray(X)  # copied here or not at all
        return X, y

    def _hold_out(self, y, weights):
        """Choose the samples that are kept from training, or None."""
        fraction = self.validation_fraction
        if fraction is None and self.early_stopping:
            fraction = DEFAULT_VALIDATION_FRACTION
        if fraction is None:
            return None
        return hold_out(y, weights, validation_fraction=fraction, seed=self._draw_seed())

    def _initialize(self, classes):
        """Begin anew, with an untrained network and no history."""
        self.classes_ = classes
        self.model_ = self._build_network(classes, seed=self._draw_seed())
        check_probabilities(
            self.model_, self.sample_shape_, len(classes), owner=type(self).__name__
        )
        self.history_ = {"loss": [], "accuracy": []}

    def _build_network(self, classes, *, seed):
        """Build the network, and keep the parameters as they are now, for copies of it."""
        self.network_seed_ = seed
        params = self.get_params(deep=False) | getattr(self, "chosen_", {})
        for name in ("callbacks", "optimizer"):
            params.pop(name, None)
        self._network_params = {name: clone(value, safe=False) for name, value in params.items()}
        try:
            with seeded_layers(seed), memory_errors_explained():
                network = self.build_network(self.sample_shape_, len(classes))
                if isinstance(network, keras.Sequential) and not network.built:
                    network.build((None, *self.sample_shape_))
        except Exception as error:  # Keras knows of layers only
            error.add_note(f"Raised by build_network of {self!r}.")
            raise
        return network

    def _adapt_and_compile(self, X, weights):
        """Make an untrained network ready for training on these samples."""
        self.adapt_network(self.model_, X, weights)
        self._compile()

    def _compile(self):
        """Give the network a new optimizer and a new trainer, which goes on with the history."""
        self._compile_network(self.model_)
        self.keras_classifier_ = make_trainer(self.model_, self.history_)

    def _compile_network(self, network):
        params = self._params_of_optimizer()
        compile_network(network, **params, label_smoothing=self.label_smoothing)

    def _attributes_after(self, history):
        """What makes a copy of this classifier fitted, with a network of its own, in training."""
        network = self.build_network_again()
        network.set_weights(self.model_.get_weights())
        self._compile_network(network)
        now = joined_histories(self.keras_classifier_.history_, history)
        own = {
            "model_": network,
            "keras_classifier_": make_trainer(network, now),
            "_random_state": copy.deepcopy(self._random_state),
        }
        return own | attributes_of_history(self.history_, now)

    def _forget_training(self):
        vars(self).pop("n_iter_", None)

    def _draw_seed(self):
        return int(self._random_state.randint(np.iinfo(np.int32).max))
