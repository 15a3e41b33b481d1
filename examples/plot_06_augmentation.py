"""
Pictures that are changed in training
=====================================

A network that sees a slightly different version of each picture every time learns what to ignore.
"""

# %%
# Look at what a setting does before you train with it. The first row shows the pictures unchanged.

import matplotlib.pyplot as plt

from skcifar import AugmentationDisplay, load_digit_images, make_convolutional_pipeline

X, y = load_digit_images(return_X_y=True)
X_test, y_test = load_digit_images(subset="test", return_X_y=True)
small = {"filters": (16, 32), "strides": (2, 2), "hidden_layer_sizes": (32,), "random_state": 0}
changing = make_convolutional_pipeline(max_shift=0.15, epochs=10, **small)
AugmentationDisplay.from_estimator(changing, X, n_images=6, random_state=0)
plt.show()

# %%
# All digits in this set are in the middle of their pictures. A network that has seen nothing else
# is lost when one is not: here the test pictures are moved three pixels (of 32) to the right.

import numpy as np

X_moved = np.roll(X_test, 3, axis=2)
plain = make_convolutional_pipeline(epochs=10, **small)
for name, pipeline in {"as they are": plain, "changed": changing}.items():
    pipeline.fit(X, y)
    scores = pipeline.score(X_test, y_test), pipeline.score(X_moved, y_test)
    print(f"trained on pictures {name:11}   in the middle {scores[0]:.3f}   moved {scores[1]:.3f}")

# %%
# A mirrored digit is no longer a digit, so ``horizontal_flip`` stays off. It helps with most
# photographs.
