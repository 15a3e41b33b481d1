"""
Learning curves and early stopping
==================================

How long should a network be trained? Until it makes no progress on pictures that were held out.
"""

# %%
# A fifth of the training pictures is held out, and scored on after each epoch. Training stops when
# there was no progress for five epochs, and the weights of the best epoch are brought back.

from skcifar import load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
pipeline = make_dense_pipeline(
    early_stopping=True, validation_fraction=0.2, n_iter_no_change=5, epochs=60, random_state=0
).fit(X, y)
classifier = pipeline["classify"]
print(f"stopped after epoch {classifier.n_iter_}, the best one was {classifier.best_iter_}")
print(f"accuracy on held out pictures: {classifier.best_validation_score_:.3f}")

# %%
# The network gets better and better at the pictures that it trains on, and at some point no better
# at others. That is what overfitting looks like.

import matplotlib.pyplot as plt

from skcifar import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(pipeline)
plt.show()
