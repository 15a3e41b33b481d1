"""Networks as pure functions: shapes and sizes in, an uncompiled ``keras.Model`` out.

Nothing here knows of scikit-learn, of training or of data.
"""

from .. import _keras  # starts Keras before others do
from ._convolutional import build_convolutional_network
from ._dense import build_dense_network
from ._gradients import grad_cam, score_gradients
from ._layers import ACTIVATIONS, BatchNormalization, Dropout
from ._pretrained import build_pretrained_network, read_body, split_at_head
from ._seeds import seeded_layers, variable_shapes
from ._views import MeanOfViews, Views, count_views, with_views
from ._whitening import Whitening, build_whitening_network

__all__ = [
    "build_convolutional_network",
    "build_dense_network",
    "build_whitening_network",
]
