"""
What the first layer looks for
==============================

The weights of the first layer have the shape of pictures, so they can be looked at.
"""

# %%
# A dense unit has a weight for each pixel of the whole picture: grey is 0, brighter is more,
# darker is less. Weight decay shrinks weights that are of no use, so that patterns become visible.

import matplotlib.pyplot as plt

from skcifar import FirstLayerDisplay, load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
dense = make_dense_pipeline(
    hidden_layer_sizes=(20,), activation="leaky_relu", weight_decay=4.0, epochs=25, random_state=0
).fit(X, y)
FirstLayerDisplay.from_estimator(dense, n_images=20, n_columns=5)
plt.show()

# %%
# A convolutional unit has only a few weights, which it uses everywhere in the picture. Its input is
# converted to grey, so that each unit can be shown as a grey picture too.

from skcifar import make_convolutional_pipeline

convolutional = make_convolutional_pipeline(
    n_channels=1,
    filters=(10, 16),
    strides=(2, 2),
    kernel_size=7,
    hidden_layer_sizes=(32,),
    learning_rate=0.003,
    epochs=5,
    random_state=0,
).fit(X, y)
FirstLayerDisplay.from_estimator(convolutional, n_columns=5)
plt.show()
