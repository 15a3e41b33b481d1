"""
Saying "unknown" when unsure
============================

It can be better to give no answer than a wrong one. How many pictures must go unanswered to avoid
how many mistakes?
"""

# %%
# A network that was trained only briefly, so that it is unsure about some pictures.

import numpy as np

from skcifar import AbstainingClassifier, load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
X_test, y_test = load_digit_images(subset="test", return_X_y=True)
pipeline = make_dense_pipeline(hidden_layer_sizes=(30,), epochs=4, random_state=0).fit(X, y)
print(f"answers everything: {pipeline.score(X_test, y_test):.3f} are right")

# %%
# A fitted classifier is used as it is. Where classes are numbers, -1 stands for unknown.

careful = AbstainingClassifier(pipeline, min_probability=0.9)
print(careful.predict(X_test[:12]))

# %%
# The higher the required probability, the fewer answers there are, and the more of them are right.

thresholds = np.linspace(0, 0.99, 34)
scores = [
    AbstainingClassifier(pipeline, min_probability=threshold).score_answers(X_test, y_test)
    for threshold in thresholds
]

# %%
# Which point on these curves is best is for you to decide: it depends on what a mistake costs.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3.8), layout="constrained")
axes.plot(thresholds, [s["accuracy"] for s in scores], color="#0072B2", label="right answers")
axes.plot(
    thresholds, [s["share_answered"] for s in scores], "--", color="#D55E00", label="answered"
)
axes.set(xlabel="min_probability", ylabel="share", ylim=(0.4, 1.02))
axes.legend(loc="lower left")
plt.show()
