"""
Which network is better, and is that luck?
==========================================

Two networks are scored on the same test pictures, with intervals and a test of their difference.
"""

# %%
# A dense and a small convolutional network, trained for the same number of epochs.

from skcifar import load_digit_images, make_convolutional_pipeline, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
X_test, y_test = load_digit_images(subset="test", return_X_y=True)
models = {
    "dense": make_dense_pipeline(epochs=8, random_state=0).fit(X, y),
    "convolutional": make_convolutional_pipeline(
        filters=(16, 32), strides=(2, 2), hidden_layer_sizes=(32,), epochs=8, random_state=0
    ).fit(X, y),
}

# %%
# A score on 360 pictures is itself partly luck. The interval says where the score on all such
# pictures probably lies.

from skcifar import compare_classifiers

comparison = compare_classifiers(models, X_test, y_test)
for model in comparison.models:
    low, high = model["test_accuracy_interval"]
    print(f"{model['name']:13}   {model['test_accuracy']:.3f}, 95 % from {low:.3f} to {high:.3f}")

# %%
# Both were scored on the same pictures, which tells us more. McNemar's test looks at those that
# only one of the two got right: how probable is it that two equally good models differ at least
# this much?

(test,) = comparison.tests
print(f"only dense is right on {test.n_only_first_right}")
print(f"only convolutional is right on {test.n_only_second_right}")
print(f"p = {test.pvalue:.3f}")

# %%
# Learning curves, confusion matrices, and pictures on which the models differ.

import matplotlib.pyplot as plt

from skcifar import ComparisonDisplay

ComparisonDisplay.from_predictions(
    X_test,
    y_test,
    comparison.predictions,
    histories={name: model["classify"].history_ for name, model in models.items()},
    random_state=0,
)
plt.show()
