"""
A grid search and what it found
===============================

Six networks, each scored on three folds, and a picture that shows which parameter matters.
"""

# %%
# The grid is over parameters of the Pipeline's last step, ``classify``.

from sklearn.model_selection import GridSearchCV

from skcifar import load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
grid = {
    "classify__hidden_layer_sizes": [(30,), (60, 30)],
    "classify__learning_rate": [0.0005, 0.002, 0.01],
}
search = GridSearchCV(
    make_dense_pipeline(batch_normalization=True, epochs=3, random_state=0), grid, cv=3
)
search.fit(X, y)
print(search.best_params_)
print(f"accuracy on folds that were left out: {search.best_score_:.3f}")

# %%
# Each dot is a candidate, and each panel arranges them by one parameter. A parameter matters if
# the dots of one value are, as a group, higher than those of another.

import matplotlib.pyplot as plt

from skcifar import SearchResultsDisplay

SearchResultsDisplay.from_search(search)
plt.show()

# %%
# Only now use the test pictures, once.

print(f"{search.score(*load_digit_images(subset='test', return_X_y=True)):.3f}")
