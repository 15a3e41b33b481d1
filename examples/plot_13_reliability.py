"""
How sure is it really?
======================

Of the answers with a probability of 0.9, nine in ten should be right. Often fewer are, and a single
number corrects much of that.
"""

# %%
# A network that was trained in large steps on few pictures. It knows each of them by heart, and
# believes that it knows others just as well.

from skcifar import load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
X_test, y_test = X[700:], y[700:]
pipeline = make_dense_pipeline(learning_rate=0.01, epochs=20, random_state=0)
pipeline.fit(X[:200], y[:200])
print(f"{pipeline.score(X_test, y_test):.3f} of the test pictures are right")

# %%
# Points below the diagonal are answers that were right less often than the network was sure.

import matplotlib.pyplot as plt

from skcifar import ReliabilityDisplay

ReliabilityDisplay.from_estimator(pipeline, X_test, y_test)
plt.show()

# %%
# scikit-learn's temperature scaling divides the inputs of the softmax by one number, the
# temperature, which it fits on pictures that were not used in training. The predicted classes stay
# the same.

from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

calibrated = CalibratedClassifierCV(FrozenEstimator(pipeline), method="temperature")
calibrated.fit(X[200:700], y[200:700])
ReliabilityDisplay.from_estimator(calibrated, X_test, y_test)
plt.show()

# %%
# The mean difference between how sure the network is and how often it is right, with an interval,
# since few test pictures make it uncertain.

from skcifar import calibration_error_interval, expected_calibration_error

for name, model in {"as it was": pipeline, "calibrated": calibrated}.items():
    y_proba = model.predict_proba(X_test)
    error = expected_calibration_error(y_test, y_proba)
    low, high = calibration_error_interval(y_test, y_proba, random_state=0)
    print(f"{name}: {error:.3f}, between {low:.3f} and {high:.3f}")
