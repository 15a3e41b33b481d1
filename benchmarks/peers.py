"""The article's network by several libraries, each as an estimator that takes pictures.

Each function makes an estimator with ``fit`` and ``predict`` for uint8 pictures of shape
(n_samples, height, width, n_channels), trained by Adam on batches of 32. Libraries are imported
inside, so that a process holds what its peer needs and no more.
"""

import itertools

import numpy as np

N_CLASSES = 10
LEARNING_RATE = 5e-4
HIDDEN_LAYER_SIZES = (200, 150)
BATCH_SIZE = 32
PREDICTION_BATCH_SIZE = 2048  # where a peer lets one choose


def scaled(X):
    X = X.astype(np.float32)
    X /= 255
    return X


def scaled_rows(X):
    return scaled(X.reshape(len(X), -1))


def pipeline_of_rows(classifier):
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    return Pipeline([("scale", FunctionTransformer(scaled_rows)), ("classify", classifier)])


def keras_network(
    input_shape, *, hidden_layer_sizes=HIDDEN_LAYER_SIZES, learning_rate=LEARNING_RATE
):
    import keras

    inputs = x = keras.Input(input_shape)
    if len(input_shape) > 1:
        x = keras.layers.Flatten()(x)
    for size in hidden_layer_sizes:
        x = keras.layers.Dense(size, activation="relu")(x)
    network = keras.Model(inputs, keras.layers.Dense(N_CLASSES, activation="softmax")(x))
    network.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    return network


def make_skcifar(*, epochs, learning_rate=LEARNING_RATE):
    from skcifar import make_dense_pipeline

    return make_dense_pipeline(epochs=epochs, learning_rate=learning_rate, random_state=0)


def make_article(*, epochs, learning_rate=LEARNING_RATE):
    import keras

    class Article:
        """The article's script, line by line."""

        def fit(self, X, y):
            keras.utils.set_random_seed(0)
            X = X.astype("float32") / 255.0
            y = keras.utils.to_categorical(y, N_CLASSES)
            self.network = keras_network(X.shape[1:], learning_rate=learning_rate)
            self.network.fit(X, y, batch_size=BATCH_SIZE, epochs=epochs, shuffle=True, verbose=0)
            return self

        def predict(self, X):
            X = X.astype("float32") / 255.0
            return self.network.predict(X, batch_size=PREDICTION_BATCH_SIZE, verbose=0).argmax(1)

    return Article()


def scikeras_network(meta, hidden_layer_sizes, learning_rate):
    return keras_network(
        meta["X_shape_"][1:], hidden_layer_sizes=hidden_layer_sizes, learning_rate=learning_rate
    )


def make_scikeras(*, epochs, learning_rate=LEARNING_RATE):
    import keras
    from scikeras.wrappers import KerasClassifier

    keras.utils.set_random_seed(0)  # its random_state would slow TensorFlow down
    return pipeline_of_rows(
        KerasClassifier(
            model=scikeras_network,
            model__hidden_layer_sizes=HIDDEN_LAYER_SIZES,
            model__learning_rate=learning_rate,
            loss="categorical_crossentropy",
            batch_size=BATCH_SIZE,
            predict__batch_size=PREDICTION_BATCH_SIZE,
            epochs=epochs,
            verbose=0,
        )
    )


def wrapped_network(X, y, learning_rate):
    return keras_network(X.shape[1:], learning_rate=learning_rate)


def make_keras_wrapper(*, epochs, learning_rate=LEARNING_RATE):
    import keras

    keras.utils.set_random_seed(0)
    return pipeline_of_rows(
        keras.wrappers.SKLearnClassifier(
            wrapped_network,
            model_kwargs={"learning_rate": learning_rate},
            fit_kwargs={"epochs": epochs, "batch_size": BATCH_SIZE, "verbose": 0},
        )
    )


def torch_network():
    import torch

    sizes = [32 * 32 * 3, *HIDDEN_LAYER_SIZES]
    hidden = [
        layer
        for n_in, n_out in itertools.pairwise(sizes)
        for layer in (torch.nn.Linear(n_in, n_out), torch.nn.ReLU())
    ]
    return torch.nn.Sequential(*hidden, torch.nn.Linear(sizes[-1], N_CLASSES))


def make_skorch(*, epochs, learning_rate=LEARNING_RATE):
    import torch
    from skorch import NeuralNetClassifier

    torch.manual_seed(0)
    return pipeline_of_rows(
        NeuralNetClassifier(
            torch_network,
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=learning_rate,
            batch_size=BATCH_SIZE,
            max_epochs=epochs,
            iterator_train__shuffle=True,
            iterator_valid__batch_size=PREDICTION_BATCH_SIZE,
            train_split=None,
            verbose=0,
        )
    )


def make_torch(*, epochs, learning_rate=LEARNING_RATE):
    import torch

    class HandWritten:
        """The loop that PyTorch's tutorials teach, with batches cut from one tensor."""

        def fit(self, X, y):
            torch.manual_seed(0)
            X, y = torch.from_numpy(scaled_rows(X)), torch.from_numpy(y)
            self.network = torch_network()
            optimizer = torch.optim.Adam(self.network.parameters(), lr=learning_rate)
            loss_function = torch.nn.CrossEntropyLoss()
            for _ in range(epochs):
                for rows in torch.randperm(len(X)).split(BATCH_SIZE):
                    optimizer.zero_grad()
                    loss_function(self.network(X[rows]), y[rows]).backward()
                    optimizer.step()
            return self

        def predict(self, X):
            with torch.inference_mode():
                return self.network(torch.from_numpy(scaled_rows(X))).argmax(dim=1).numpy()

    return HandWritten()


def make_mlp(*, epochs, learning_rate=LEARNING_RATE):
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)  # it is meant to stop early
    return pipeline_of_rows(
        MLPClassifier(
            hidden_layer_sizes=HIDDEN_LAYER_SIZES,
            learning_rate_init=learning_rate,
            batch_size=BATCH_SIZE,
            max_iter=epochs,
            alpha=0,
            random_state=0,
        )
    )


PEERS = {
    "skcifar": make_skcifar,
    "the article's script": make_article,
    "scikeras": make_scikeras,
    "Keras' SKLearnClassifier": make_keras_wrapper,
    "skorch": make_skorch,
    "PyTorch by hand": make_torch,
    "MLPClassifier": make_mlp,
}
