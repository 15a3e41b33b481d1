"""
Mistakes, and labels that are wrong
===================================

Which classes are mistaken for which? And is it the network that is wrong, or the label?
"""

# %%
# Twenty pictures are given the label of another class, as happens when people label thousands.

import numpy as np

from skcifar import load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
random = np.random.default_rng(0)
swapped = random.choice(len(y), size=20, replace=False)
y_given = y.copy()
y_given[swapped] = (y[swapped] + random.integers(1, 10, size=20)) % 10

# %%
# A network that has learned a wrong label repeats it. So each picture is classified by a network
# that was not trained on it.

from sklearn.model_selection import cross_val_predict

pipeline = make_dense_pipeline(epochs=5, random_state=0)
y_proba = cross_val_predict(pipeline, X, y_given, cv=3, method="predict_proba")
print(f"{(y_proba.argmax(axis=1) == y_given).mean():.3f} of the labels are predicted")

# %%
# The confusion matrix as counts and as shares, and pictures of the most common mistakes.

import matplotlib.pyplot as plt

from skcifar import ConfusionsDisplay

ConfusionsDisplay.from_predictions(X, y_given, y_proba.argmax(axis=1), n_pairs=3)
plt.show()

# %%
# A label is suspect if the network is as sure of another class as it usually is for pictures of
# that other class.

from skcifar import find_suspect_labels

suspects = find_suspect_labels(y_given, y_proba)
found = np.isin(suspects, swapped).sum()
print(f"{len(suspects)} labels are suspect, {found} of them among the {len(swapped)} swapped ones")

# %%
# Look at the suspect labels before you change any, the most suspect first.

from skcifar import MistakesDisplay

MistakesDisplay.from_predictions(X, y_given, y_proba, which="suspects", n_images=10)
plt.show()

# %%
# Other mistakes are the network's own, and close calls.

MistakesDisplay.from_predictions(X, y_given, y_proba, which="doubtful", n_images=5)
plt.show()
