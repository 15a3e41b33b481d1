"""
Learning curves and early stopping
==================================

How long should a network be trained? Until it stops improving on pictures that were held out.
"""

# %%
# A fifth of the training pictures is held out, and the network is scored on it after each epoch.
# Training stops after five epochs without progress, and the weights of the best epoch are restored.

from skcifar import load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
pipeline = make_dense_pipeline(
    early_stopping=True, validation_fraction=0.2, n_iter_no_change=5, epochs=60, random_state=0
).fit(X, y)
classifier = pipeline["classify"]
print(f"stopped after epoch {classifier.n_iter_}, the best one was {classifier.best_iter_}")
print(f"accuracy on held out pictures: {classifier.best_validation_score_:.3f}")

# %%
# The network keeps improving on the pictures that it trains on, but at some point no longer on
# others. That is what overfitting looks like.

import matplotlib.pyplot as plt

from skcifar import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(pipeline)
plt.show()
