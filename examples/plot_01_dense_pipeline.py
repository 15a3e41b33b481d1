"""
A dense network as a Pipeline
=============================

Pixels are scaled, pictures are flattened, and a network of dense layers recognizes the digits.
"""

# %%
# The pictures are arrays of bytes: 32 by 32 pixels with three colour channels.

from skcifar import load_digit_images

X_train, y_train = load_digit_images(return_X_y=True)
X_test, y_test = load_digit_images(subset="test", return_X_y=True)
print(X_train.shape, X_train.dtype)

# %%
# A pipeline is an estimator like any other: fit it, then score it on pictures that it has not seen.

from skcifar import make_dense_pipeline

pipeline = make_dense_pipeline(epochs=5, random_state=0)
pipeline.fit(X_train, y_train)
print(f"accuracy on test pictures: {pipeline.score(X_test, y_test):.3f}")

# %%
# In a notebook it shows its steps, its parameters and the layers of its network.

pipeline

# %%
# Ten test pictures, each with its predicted class, the probability of that class, and its label.

import matplotlib.pyplot as plt

from skcifar import PredictionGridDisplay

PredictionGridDisplay.from_estimator(pipeline, X_test, y_test, n_images=10, random_state=0)
plt.show()

# %%
# The mistakes of which the network was most sure.

from skcifar import MistakesDisplay

MistakesDisplay.from_estimator(pipeline, X_test, y_test, n_images=5)
plt.show()

# %%
# scikit-learn's own displays accept the pipeline too.

from sklearn.metrics import ConfusionMatrixDisplay

ConfusionMatrixDisplay.from_estimator(pipeline, X_test, y_test, cmap="Blues", colorbar=False)
plt.show()
