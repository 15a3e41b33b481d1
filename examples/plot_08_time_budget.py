"""
As good as a few seconds allow
==============================

``max_minutes`` says how long ``fit`` may take. The number of steps follows from it, and the
learning rate schedule ends when the time does.
"""

# %%
# The same network is given more and more time. That includes compiling, which takes up most of the
# shortest run.

from skcifar import load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
X_test, y_test = load_digit_images(subset="test", return_X_y=True)
seconds, epochs, scores = (1, 2, 4), [], []
for limit in seconds:
    pipeline = make_dense_pipeline(
        max_minutes=limit / 60, learning_rate_schedule="one-cycle", random_state=0
    ).fit(X, y)
    epochs.append(pipeline["classify"].n_iter_)
    scores.append(pipeline.score(X_test, y_test))

# %%
# How far it gets depends on the machine.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
axes.plot(seconds, scores, "o-", color="#0072B2")
for point in zip(seconds, scores, epochs, strict=True):
    axes.annotate(
        f"epochs: {point[2]}", point[:2], xytext=(0, -14), textcoords="offset points", ha="center"
    )
axes.margins(x=0.15)
axes.set(xlabel="seconds that fit may take", ylabel="accuracy on test pictures", ylim=(0.5, 1))
plt.show()

# %%
# The parameters that were chosen are in ``chosen_``. ``set_params(**chosen_)`` repeats the training
# bit for bit, without looking at the clock.

again = make_dense_pipeline(learning_rate_schedule="one-cycle", random_state=0)
again["classify"].set_params(**pipeline["classify"].chosen_)
print((again.fit(X, y).predict_proba(X_test) == pipeline.predict_proba(X_test)).all())
