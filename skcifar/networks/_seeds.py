"""Seeds and shapes of the variables that a network is built with."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, copy_context

import keras

# A build_network may build further networks, also in the threads of variable_shapes.
_random_module_lock = threading.Lock()
_is_locked = ContextVar("is_locked", default=False)


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
    with nullcontext() if _is_locked.get() else _random_module_lock:
        token = _is_locked.set(True)
        state = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)
            _is_locked.reset(token)


def variable_shapes(build):
    """Return shape and dtype of each variable of a network, without taking memory for them.

    Networks that are made of a saved one with its optimizer do take memory.
    """
    policy = keras.config.dtype_policy()

    def shapes():
        return [(tuple(variable.shape), variable.dtype) for variable in build().variables]

    def shapes_alone():
        keras.config.set_dtype_policy(policy)
        with keras.StatelessScope(initialize_variables=False):
            return shapes()

    # Keras keeps a list, for each thread, of variables that wait for their first value
    with seeded_layers(0), ThreadPoolExecutor(1) as thread_of_its_own:
        try:
            return thread_of_its_own.submit(copy_context().run, shapes_alone).result()
        except ValueError as error:
            if "stateless scope" not in str(error):  # where no optimizer can be made
                raise
            return shapes()
