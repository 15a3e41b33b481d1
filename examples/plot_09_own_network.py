"""
A network of your own
=====================

A class with one method becomes an estimator, with everything that an estimator can do.
"""

# %%
# Import this package before Keras, so that TensorFlow starts quietly.

from skcifar import ImageClassifier, load_digit_images

X, y = load_digit_images(return_X_y=True)
X.shape

# %%
# The method returns a Keras model, not compiled, that ends in a softmax. Whatever varies is a field
# of the class.

from dataclasses import dataclass

import keras


@dataclass(kw_only=True, eq=False, repr=False)  # as scikit-learn's estimators compare and print
class PooledClassifier(ImageClassifier):
    filters: int = 16

    def build_network(self, input_shape, n_classes):
        inputs = keras.Input(shape=input_shape)
        x = keras.layers.Conv2D(self.filters, 3, activation="relu")(inputs)
        x = keras.layers.MaxPooling2D(4)(x)
        x = keras.layers.Flatten()(x)
        x = keras.layers.Dropout(0.2, seed=self.network_seed_)(x)
        outputs = keras.layers.Dense(n_classes, activation="softmax")(x)
        return keras.Model(inputs, outputs)


# %%
# The class can be used in a Pipeline, and its field in a grid search.

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skcifar import PixelScaler

pipeline = make_pipeline(
    PixelScaler(lazy=True),
    PooledClassifier(learning_rate=0.005, epochs=3, max_shift=0.05, random_state=0),
)
search = GridSearchCV(pipeline, {"pooledclassifier__filters": [2, 6, 16]}, cv=2).fit(X, y)

# %%
# More filters give more right answers, up to a point.

import matplotlib.pyplot as plt

from skcifar import SearchResultsDisplay

SearchResultsDisplay.from_search(search)
plt.show()

# %%
# The best candidate, trained on all training pictures, as a notebook shows it.

search.best_estimator_
