"""
Learning curves of a halving search
===================================

Successive halving gives every candidate a few epochs, and more only to the best third. A resumable
search keeps the learning curve of each candidate.
"""

# %%
# The resource that is allotted is a parameter of the estimator, here the number of epochs.

from skcifar import ResumableHalvingGridSearchCV, load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
search = ResumableHalvingGridSearchCV(
    make_dense_pipeline(hidden_layer_sizes=(60, 30), random_state=0),
    {"classify__learning_rate": [0.0002, 0.001, 0.005, 0.02]},
    resource="classify__epochs",
    max_resources=9,
    cv=2,
)
search.fit(X, y)
for n_candidates, epochs in zip(search.n_candidates_, search.n_resources_, strict=True):
    print(f"{n_candidates} candidates of {epochs} epochs")
print(search.best_params_)

# %%
# The curves of candidates that were dropped early end early.

import matplotlib.pyplot as plt

from skcifar import SearchHistoriesDisplay

SearchHistoriesDisplay.from_search(search)
plt.show()
