"""
Which parts the answer depends on
=================================

The network says that this is a 7. Where does it see that? Three ways to find out.
"""

# %%
# A small network that has learned what digits look like.

from skcifar import load_digit_images, make_convolutional_pipeline

X, y = load_digit_images(return_X_y=True)
X_test, y_test = load_digit_images(subset="test", return_X_y=True)
pipeline = make_convolutional_pipeline(
    filters=(16, 32), strides=(2, 2), hidden_layer_sizes=(32,), epochs=8, random_state=0
).fit(X, y)
print(f"{pipeline.score(X_test, y_test):.3f} of the test pictures are right")

# %%
# Occlusion hides one part after another and measures how the probability changes; it works with
# any classifier. Gradients show on which pixels the class depends most. Grad-CAM shows, in a few
# large areas, where the last convolutions of a network found evidence for the class.

import matplotlib.pyplot as plt

from skcifar import ExplanationDisplay

figure, rows = plt.subplots(3, 1, figsize=(8, 7.5), layout="constrained")
for row, method in zip(rows, ["occlusion", "gradient", "grad-cam"], strict=True):
    ExplanationDisplay.from_estimator(
        pipeline, X_test, y=y_test, method=method, n_images=2, n_columns=2, ax=row
    )
plt.show()

# %%
# Why is none of these a 3? Blue parts are evidence against the class that you ask about: while they
# are hidden, a 3 is more probable.

nines = X_test[y_test == 9]
ExplanationDisplay.from_estimator(pipeline, nines, label=3, n_images=2, n_columns=2)
plt.show()
