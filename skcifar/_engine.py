"""Fast training and prediction on TensorFlow: compiled functions that outlive a network.

The only room that knows TensorFlow. Many batches are trained on in one call of a loop that XLA
compiled, while the next ones are gathered. Compiled functions are kept by a network's blueprint,
and weights are copied in and out, so that the next network of the same shape traces nothing.
"""

import itertools
import math
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache

import numpy as np
import tensorflow as tf

from ._blueprints import blueprint_of, build_from, compile_from, training_blueprint_of

# Compiled functions that are kept, of each kind. A training loop holds one network and its
# optimizer's state, which is 8 MB for the article's.
KEPT = 8

# An epoch of fewer full batches does not repay the second that XLA takes to compile the loop.
LEAST_BATCHES_TO_COMPILE = 16

# Batches for one call of the loop: enough to make the call itself cheap, yet so few bytes that they
# are still in the processor's cache when they are trained on.
MOST_BATCHES_A_CALL = 128
BYTES_A_CALL = 8 * 2**20

ALIGNMENT = 64  # bytes

# joblib and Dask tell worker processes their share of the cores in this variable, which TensorFlow
# does not read by itself. It may be unset or no number, or TensorFlow may run already.
with suppress(KeyError, ValueError, RuntimeError):
    _share_of_cores = int(os.environ["OMP_NUM_THREADS"])
    tf.config.threading.set_intra_op_parallelism_threads(_share_of_cores)
    tf.config.threading.set_inter_op_parallelism_threads(_share_of_cores)

_idle_loops = []  # pairs of key and TrainingLoop, the longest unused first
_idle_loops_lock = threading.Lock()
_forward_passes = weakref.WeakKeyDictionary()  # of networks that still exist


def training_key(network, *, batch_size):
    """Tell which compiled loop trains a network.

    Parameters
    ----------
    network : keras.Model
        Compiled.

    batch_size : int
        Samples a step.

    Returns
    -------
    key : tuple or None
        Equal for networks of the same shape, whatever their weights and learning rates. None if
        text does not tell all that this one computes.
    """
    blueprints = blueprint_of(network), training_blueprint_of(network)
    return None if None in blueprints else (*blueprints, batch_size)


def train_epoch(key, network, arrays, rows, *, after_batches):
    """Train a network on rows of samples once, batch by batch.

    Each step is one of Keras' own ``fit``. Threads may train different networks at once.

    Parameters
    ----------
    key : tuple
        What :func:`training_key` gave for the network.

    network : keras.Model
        Compiled. Its weights and its optimizer change when the epoch is over.

    arrays : tuple of ndarray
        Samples, one-hot labels and weights, all of the dtype that Keras computes in.

    rows : ndarray of int
        The samples to train on, in this order.

    after_batches : callable
        Called with the number of batches done and the means so far, after each few of them.

    Returns
    -------
    means : dict of str to float
        ``loss`` and ``accuracy``, as measured while training.
    """
    with _borrowed_loop((*key, arrays[0].dtype.name)) as loop:
        return loop.train_epoch(network, arrays, rows, after_batches)


def forward_pass(network):
    """Return a compiled function from samples to a network's probabilities.

    Parameters
    ----------
    network : keras.Model
        Ends in probabilities.

    Returns
    -------
    forward : callable
        Takes and returns arrays. Always uses the network's present weights. The network itself,
        if it cannot be compiled for all of its shape.
    """
    forward = _forward_passes.get(network)
    if forward is None:
        blueprint = blueprint_of(network)
        forward = _forward_passes[network] = blueprint and _compiled_forward_pass(blueprint)
    if forward is None:
        return lambda X: network(X, training=False).numpy()
    values = [tf.convert_to_tensor(variable.value) for variable in network.variables]
    return lambda X: forward(values, X).numpy()


@lru_cache(KEPT)
def _compiled_forward_pass(blueprint):
    network = build_from(blueprint)

    @tf.function(reduce_retracing=True, autograph=False)
    def forward(values, X):
        value_of = {id(v): value for v, value in zip(network.variables, values, strict=True)}
        outputs, _ = network.stateless_call(
            [value_of[id(variable)] for variable in network.trainable_variables],
            [value_of[id(variable)] for variable in network.non_trainable_variables],
            X,
            training=False,
        )
        return outputs

    return forward


@contextmanager
def _borrowed_loop(key):
    """Lend a loop to one thread; the next one with the same key gets another, or this one later."""
    with _idle_loops_lock:
        matching = [place for place, (other, _) in enumerate(_idle_loops) if other == key]
        loop = _idle_loops.pop(matching[-1])[1] if matching else None
    loop = loop or TrainingLoop(*key)
    yield loop  # one that failed does not come back
    with _idle_loops_lock:
        _idle_loops.append((key, loop))
        del _idle_loops[:-KEPT]


class TrainingLoop:
    """Trains networks of one shape on batches of one size, one network at a time.

    Parameters
    ----------
    blueprint : str
        What ``blueprint_of`` says of the networks.

    training_blueprint : str
        What ``training_blueprint_of`` says of them.

    batch_size : int
        Samples a step.

    dtype : str
        Of samples, labels and weights.
    """

    def __init__(self, blueprint, training_blueprint, batch_size, dtype):
        self._network = build_from(blueprint)
        compile_from(training_blueprint, self._network)
        self._batch_size = batch_size
        self._dtype = np.dtype(dtype)
        self._shapes = [self._network.input_shape[1:], self._network.output_shape[1:], ()]
        bytes_of_batch = batch_size * math.prod(self._shapes[0]) * self._dtype.itemsize
        self._n_batches = max(1, min(BYTES_A_CALL // bytes_of_batch, MOST_BATCHES_A_CALL))

        def batches_of(*leading):
            return [tf.TensorSpec((*leading, *shape), dtype) for shape in self._shapes]

        many = [tf.TensorSpec((), tf.int32), *batches_of(self._n_batches, batch_size)]
        self._train_many = tf.function(
            self._many_steps, input_signature=many, jit_compile=True, autograph=False
        )
        self._train_one = tf.function(self._step, input_signature=batches_of(None), autograph=False)

    def train_epoch(self, network, arrays, rows, after_batches):
        """Train for one epoch; see the function of this name."""
        _copy_state(network, self._network)
        loss = n_right = n_batches = n_samples = 0
        for train, batches, n_batches_here, n_samples_here in self._calls(arrays, rows):
            loss_here, n_right_here = train(*batches)
            loss += float(loss_here)
            n_right += float(n_right_here)
            n_batches += n_batches_here
            n_samples += n_samples_here
            means = {"loss": loss / n_samples, "accuracy": n_right / n_samples}
            after_batches(n_batches, means)
        _copy_state(self._network, network)
        return means

    def _calls(self, arrays, rows):
        """Yield what to call with what, while another thread gathers for the next call."""
        size, n_full = self._batch_size, len(rows) // self._batch_size
        n_many = size * n_full
        if n_full < LEAST_BATCHES_TO_COMPILE or not _can_be_compiled(self._network):
            n_many = 0
        # Two sets of buffers in turn: TensorFlow reads one while the other is filled.
        buffers = itertools.cycle([self._buffers(), self._buffers()])

        def gathered(chosen):
            filled = next(buffers)
            for array, buffer in zip(arrays, filled, strict=True):
                # "clip" writes to the buffer directly
                np.take(array, chosen, axis=0, out=buffer[: len(chosen)], mode="clip")
            return filled

        def many(start):
            chosen = rows[start : start + self._n_batches * size][: n_many - start]
            n_batches = len(chosen) // size
            arguments = self._many_batches(n_batches, gathered(chosen))
            return self._train_many, arguments, n_batches, len(chosen)

        def one(start):
            chosen = rows[start : start + size]
            batch = [_as_tensor(part[: len(chosen)]) for part in gathered(chosen)]
            return self._train_one, batch, 1, len(chosen)

        tasks = [(many, start) for start in range(0, n_many, self._n_batches * size)]
        tasks += [(one, start) for start in range(n_many, len(rows), size)]
        with ThreadPoolExecutor(1) as gatherer:
            if n_many:
                # Only the first epoch compiles here, the others lose half a millisecond. Buffers
                # that are still empty take no memory, of which XLA needs the most meanwhile. The
                # other function is traced in that time, yet not both at once: they share layers.
                self._train_many.get_concrete_function()
                gatherer.submit(self._train_one.get_concrete_function)
                self._train_many(*self._many_batches(0, self._buffers()))
            coming = gatherer.submit(*tasks[0])
            for task in tasks[1:]:
                here, coming = coming.result(), gatherer.submit(*task)
                yield here
            yield coming.result()

    def _buffers(self):
        """Room for the samples, labels and weights of one call."""
        n_samples = self._n_batches * self._batch_size
        return [_aligned_array((n_samples, *shape), self._dtype) for shape in self._shapes]

    def _many_batches(self, n_batches, buffers):
        """What the compiled loop takes, of which it trains on the first batches."""
        shape = self._n_batches, self._batch_size
        batches = [_as_tensor(part.reshape(*shape, *part.shape[1:])) for part in buffers]
        return tf.constant(n_batches), *batches

    def _many_steps(self, n_batches, X, y, weights):
        """Steps on the first ``n_batches`` batches of an axis of them."""

        def step(k, loss, n_right):
            loss_here, n_right_here = self._step(X[k], y[k], weights[k])
            return k + 1, loss + loss_here, n_right + n_right_here

        nothing = tf.zeros((), self._dtype)
        return tf.while_loop(lambda k, *_: k < n_batches, step, (0, nothing, nothing))[1:]

    def _step(self, X, y, weights):
        """One step, as Keras makes it; returns the sum of losses and the number of right ones."""
        network, optimizer = self._network, self._network.optimizer
        with tf.GradientTape() as tape:
            probabilities = network(X, training=True)
            loss = network.compute_loss(
                x=X, y=y, y_pred=probabilities, sample_weight=weights, training=True
            )
            scaled_loss = optimizer.scale_loss(loss)
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(scaled_loss, [v.value for v in variables]), variables)
        right = tf.argmax(probabilities, axis=1) == tf.argmax(y, axis=1)
        n_samples = tf.cast(tf.shape(X)[0], self._dtype)
        return (
            tf.cast(loss, self._dtype) * n_samples,
            tf.reduce_sum(tf.cast(right, self._dtype)),
        )


def _aligned_array(shape, dtype):
    """An empty array that TensorFlow can read where it lies: at an address that it likes."""
    n_bytes = math.prod(shape) * dtype.itemsize
    memory = np.empty(n_bytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + n_bytes].view(dtype).reshape(shape)


def _as_tensor(array):
    """A tensor in an array's own memory."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def _can_be_compiled(layer):
    """Whether XLA takes a layer, and all layers in it where it is a network."""
    return layer.supports_jit and all(map(_can_be_compiled, getattr(layer, "layers", ())))


def _copy_state(source, target):
    """Copy weights, the seeds of layers and what the optimizer has gathered."""
    for there, here in zip(_state(target), _state(source), strict=True):
        there.assign(here.value)


def _state(network):
    return [*network.variables, *network.optimizer.variables]
