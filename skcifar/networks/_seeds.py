"""Seeds and shapes of the weights that a network is built with."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import keras

# A build_network may build further networks, hence the R.
_random_module_lock = threading.RLock()

# The functions of Python's random module that draw from the state that all threads share.
_DRAWING = [
    name
    for name in random.__all__
    if isinstance(getattr(getattr(random, name), "__self__", None), random.Random)
]


def looks_of_weights(build):
    """Tell what weights a network would have, without taking memory for them."""
    policy = keras.config.dtype_policy()

    def looks():
        keras.config.set_dtype_policy(policy)
        with seeded_layers(0), keras.StatelessScope(initialize_variables=False):
            return [(tuple(weight.shape), weight.dtype) for weight in build().weights]

    # Keras keeps a list, for each thread, of variables that wait for their first value
    with ThreadPoolExecutor(1) as thread_of_its_own:
        return thread_of_its_own.submit(looks).result()


@contextmanager
def seeded_layers(seed):
    """Make the layers that are built inside depend on ``seed`` alone.

    A layer that is given no seed draws one by Python's ``random`` module. Meanwhile, what this
    thread draws from there comes from a generator of its own. Other threads, which draw as ever,
    neither notice nor disturb it.
    """
    own = random.Random(seed)
    builder = threading.get_ident()

    def routed(name, shared):
        def draw(*args, **kwargs):
            source = getattr(own, name) if threading.get_ident() == builder else shared
            return source(*args, **kwargs)

        return draw

    with _random_module_lock:
        before = {name: getattr(random, name) for name in _DRAWING}
        for name, shared in before.items():
            setattr(random, name, routed(name, shared))
        try:
            yield
        finally:
            for name, shared in before.items():
                setattr(random, name, shared)
