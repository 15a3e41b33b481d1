"""Seeds and shapes of the weights that a network is built with."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import keras

_random_module_lock = threading.RLock()  # a build_network may build further networks, hence the R


def layer_seeds(seed):
    """Yield seeds for one layer after another: ints that ``seed`` determines, or None for ever."""
    generator = random.Random(seed)
    while True:
        yield None if seed is None else generator.randint(1, 10**9)


@contextmanager
def seeded_layers(seed):
    """Let layers that are given no seed, which draw one by Python's ``random``, depend on one.

    The state of ``random`` is afterwards as it was. Another thread that draws meanwhile would
    disturb both, which layers with seeds of their own do not notice.
    """
    with _random_module_lock:
        state = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)


def weight_shapes(build):
    """Return shape and dtype of each weight of a network, without taking memory for them."""
    policy = keras.config.dtype_policy()

    def shapes():
        keras.config.set_dtype_policy(policy)
        with keras.StatelessScope(initialize_variables=False):
            return [(tuple(weight.shape), weight.dtype) for weight in build().weights]

    # Keras keeps a list, for each thread, of variables that wait for their first value
    with seeded_layers(0), ThreadPoolExecutor(1) as thread_of_its_own:
        return thread_of_its_own.submit(shapes).result()
