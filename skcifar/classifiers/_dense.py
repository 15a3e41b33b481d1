"""The classifier by dense layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import keras

from .._sklearn.validation import Interval, StrOptions, as_sequence, check_positive_integers
from ..networks import ACTIVATIONS, build_dense_network
from ._base import NetworkClassifier
from ._documentation import with_shared_documentation


@with_shared_documentation
@dataclass(kw_only=True, eq=False, repr=False)
class DenseClassifier(NetworkClassifier):
    """Classifier by a network of dense layers.

    The defaults are those of the article "A simple neural network for image classification": two
    hidden layers of 200 and 150 ReLU units, a softmax, categorical cross-entropy, Adam.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(200, 150)
        Number of units of each hidden layer. None at all make a softmax regression.

    activation : {"elu", "gelu", "leaky_relu", "linear", "relu", "relu6", "selu", "sigmoid", \
            "silu", "softplus", "softsign", "tanh"}, default="relu"
        Activation of the hidden layers. "leaky_relu" has a slope of 0.2.

    batch_normalization : bool, default=False
        Whether each hidden layer's sums are normalized over the batch before the activation, which
        allows larger steps.

    dropout : float, default=0.0
        Share of each hidden layer's outputs, in [0, 1), that is set to zero while training.

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

    hidden_layer_sizes: int | Sequence[int] = (200, 150)
    activation: str = "relu"
    batch_normalization: bool = False
    dropout: float = 0.0

    _parameter_constraints: ClassVar[dict] = NetworkClassifier._parameter_constraints | {
        "hidden_layer_sizes": ["array-like", Integral],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "batch_normalization": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def _validate_params(self):
        super()._validate_params()
        sizes = as_sequence(self.hidden_layer_sizes)
        check_positive_integers(sizes, name="hidden_layer_sizes", owner=type(self).__name__)

    def build_network(self, input_shape: tuple[int, ...], n_classes: int) -> keras.Model:
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
            hidden_layer_sizes=[int(size) for size in as_sequence(self.hidden_layer_sizes)],
            activation=self.activation,
            batch_normalization=bool(self.batch_normalization),
            dropout=self.dropout,
            seed=self.network_seed_,
        )
