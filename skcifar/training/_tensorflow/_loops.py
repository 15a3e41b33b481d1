"""Fast training and prediction on TensorFlow: compiled functions that outlive a network.

Many batches are trained on in one call of a loop, which XLA compiles where that makes it faster,
while the next ones are gathered. Traced and compiled functions are kept by a network's key, so that
the next network of the same shape traces nothing: a forward pass takes the weights, a training loop
has a network of its own, whose state is copied in and out.
"""

import itertools
import math
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.util._pywrap_util_port import IsMklEnabled  # has no public name

from ...networks import Dropout, seeded_layers
from . import _keys
from ._adam import make_update

# Compiled functions that are kept, of each kind. A training loop holds one network and its
# optimizer's state, 8 MB for the article's; of large ones fewer are kept, yet always the last.
# TensorFlow never frees what XLA compiled, 5 MB for each loop, so compiling again takes memory.
KEPT = 16
KEPT_BYTES = 256 * 2**20

# An epoch of fewer full batches does not repay the second that tracing and compiling a loop takes.
LEAST_BATCHES_FOR_LOOP = 16

# Batches for one call of the loop: enough to make the call itself cheap, yet so few bytes that they
# are still in the processor's cache when they are trained on.
MOST_BATCHES_A_CALL = 128
BYTES_A_CALL = 8 * 2**20

# Steps on batches of which fewer fit take so long that their calls do not matter.
LEAST_BATCHES_A_CALL = 8

ALIGNMENT = 64  # bytes

# what is in effect, for worker processes, where TensorFlow was imported before this package
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", str(int(IsMklEnabled())))

_lock = threading.Lock()  # of the two that follow, the longest unused first
_forward_passes = {}
_idle_loops = []  # pairs of key and TrainingLoop
_keys_of_networks = weakref.WeakKeyDictionary()  # that have predicted and still exist


def settings():
    """Return the settings of TensorFlow that results depend on; 0 threads are one for each core."""
    n_threads = tf.config.threading.get_intra_op_parallelism_threads()
    return {"oneDNN": "on" if IsMklEnabled() else "off", "threads": n_threads}


def training_key(network, arrays, *, n_samples, batch_size):
    """Return the key of the loop that trains a network, or None."""
    keys = _keys.network_key(network), _keys.training_key(network)
    if None in keys:
        return None
    # The step alone takes batches of any size.
    in_loop = (
        n_samples // batch_size >= LEAST_BATCHES_FOR_LOOP
        and _batches_a_call(arrays[0].shape[1:], arrays[0].dtype, batch_size)
        >= LEAST_BATCHES_A_CALL
    )
    shapes = tuple(array.shape[1:] for array in arrays)
    variables = tuple((tuple(v.shape), v.dtype, v.trainable) for v in _state(network))
    return (*keys, variables, batch_size if in_loop else None, shapes, arrays[0].dtype)


def train_epoch(key, network, epoch, *, batch_size, take, after_batches):
    """Train a network on the samples of an epoch, batch by batch.

    Each step is one of Keras' own ``fit``. Threads may train different networks at once.
    """
    with _borrowed_loop(key, network) as loop:
        return loop.train_epoch(network, epoch, batch_size, take, after_batches)


def forward_pass(network):
    """Return a compiled function from passes of samples to a network's probabilities, or None."""
    # what a user may exchange in a fitted network
    parts = _exchangeable_parts(network)
    known_parts, key = _keys_of_networks.get(network, (None, None))
    if known_parts != parts:
        key = _keys.network_key(network)
        _keys_of_networks[network] = parts, key
    if key is None:
        return None
    handles = [variable.value.handle for variable in network.variables]

    def forward(passes):
        # a single pass need not wait for the loop over many
        passes_of_key = (key, passes.shape[1:], passes.dtype, len(passes) == 1)
        with _lock:
            function = _forward_passes.pop(passes_of_key, None)
        function = function or _compiled_forward_pass(weakref.ref(network), *passes_of_key[1:])
        with _lock:
            _forward_passes[passes_of_key] = function
            if len(_forward_passes) > KEPT:
                del _forward_passes[next(iter(_forward_passes))]
        return function(tf.constant(passes), *handles).numpy()

    return forward


def _exchangeable_parts(network):
    """Return identities of all activations and layers without one."""
    parts = []
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            parts += _exchangeable_parts(layer)
        parts.append(id(getattr(layer, "activation", layer)))
    return parts


def _compiled_forward_pass(network, shape, dtype, is_single):
    """Trace a function of passes and of all variables, so that it keeps no network alive."""
    passes = tf.TensorSpec((1 if is_single else None, *shape), dtype)
    handles = [tf.TensorSpec((), tf.resource) for _ in network().variables]

    @tf.function(input_signature=[passes, *handles], autograph=False)
    def forward(passes, *handles):
        traced = network()
        value_of = {
            id(variable): tf.ensure_shape(
                tf.raw_ops.ReadVariableOp(resource=handle, dtype=variable.dtype), variable.shape
            )
            for variable, handle in zip(traced.variables, handles, strict=True)
        }
        trainable = [value_of[id(variable)] for variable in traced.trainable_variables]
        others = [value_of[id(variable)] for variable in traced.non_trainable_variables]

        def one(rows):
            return traced.stateless_call(trainable, others, rows, training=False)[0]

        if is_single:
            return one(passes[0])[None]
        # one after another: of passes at the same time through a convolution that is added to its
        # input, which oneDNN computes as one operation, some were NaN now and then
        return tf.map_fn(
            one, passes, parallel_iterations=1, fn_output_signature=traced.outputs[0].dtype
        )

    return forward.get_concrete_function()


@contextmanager
def _borrowed_loop(key, network):
    """Lend a loop to one thread; the next one with the same key gets another, or this one later."""
    with _lock:
        matching = [place for place, (other, _) in enumerate(_idle_loops) if other == key]
        loop = _idle_loops.pop(matching[-1])[1] if matching else None
    loop = loop or TrainingLoop(network, *key[-3:])
    yield loop  # one that failed does not come back
    with _lock:
        _idle_loops.append((key, loop))
        n_bytes = np.cumsum([loop.n_bytes for _, loop in reversed(_idle_loops)])
        fitting = np.count_nonzero(n_bytes <= KEPT_BYTES)
        del _idle_loops[: -min(KEPT, max(fitting, 1))]


class TrainingLoop:
    """Trains networks of one shape on batches of one size, one network at a time."""

    def __init__(self, network, batch_size, shapes, dtype):
        self._network = _copy(network)
        # Adding up what several devices found would register a gradient with TensorFlow, in which
        # this loop, its weights and all that was traced would live for good.
        self._network.optimizer._all_reduce_sum_gradients = lambda pairs: pairs
        self._update = make_update(self._network.optimizer, self._network.trainable_variables)
        self.n_bytes = sum(np.asarray(v).nbytes for v in _state(self._network))
        self._shapes = shapes
        self._dtype = dtype
        self._train_one = tf.function(
            self._step,
            input_signature=[tf.TensorSpec((), self._dtype), *self._signature(None)],
            autograph=False,
        )
        self._batch_size = None  # of the loop over many batches
        if batch_size is None:
            self._train_one.get_concrete_function()  # TensorFlow warns of tracing in calls
        else:
            self._make_loop(batch_size)

    def _signature(self, *leading):
        return [tf.TensorSpec((*leading, *shape), self._dtype) for shape in self._shapes]

    def _make_loop(self, batch_size):
        """Trace the loop over many batches, and have XLA compile it where that makes it faster."""
        # If XLA fails, each batch is trained on by itself. Buffers that are still empty take no
        # memory, of which XLA needs the most here.
        self._n_batches = _batches_a_call(self._shapes[0], self._dtype, batch_size)
        self._train_many = tf.function(
            self._many_steps,
            input_signature=[
                tf.TensorSpec((), tf.int32),
                tf.TensorSpec((self._n_batches,), self._dtype),
                *self._signature(self._n_batches, batch_size),
            ],
            jit_compile=_is_faster_by_xla(self._network),
            autograph=False,
        )
        # The other function is traced while XLA compiles, yet not both at once: they share layers.
        self._train_many.get_concrete_function()
        with ThreadPoolExecutor(1) as tracer:
            tracing = tracer.submit(self._train_one.get_concrete_function)
            with suppress(tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
                self._train_many(
                    *self._many_batches((), self._buffers(self._n_batches * batch_size))
                )
                self._batch_size = batch_size
            tracing.result()

    def train_epoch(self, network, epoch, batch_size, take, after_batches):
        """Train for one epoch; see the function of this name."""
        _copy_state(network, self._network)
        loss = n_right = n_batches = n_samples = 0
        for train, batches, n_batches_here, n_samples_here in self._calls(epoch, batch_size, take):
            loss_here, n_right_here = train(*batches)
            loss += float(loss_here)
            n_right += float(n_right_here)
            n_batches += n_batches_here
            n_samples += n_samples_here
            means = {"loss": loss / n_samples, "accuracy": n_right / n_samples}
            after_batches(n_batches, n_batches_here, means)
        _copy_state(self._network, network)
        return means

    def _calls(self, epoch, size, take):
        """Yield what to call with what, while another thread gathers for the next call."""
        in_loop = self._batch_size == size
        n_many = len(epoch) // size * size if in_loop else 0
        n_a_call = self._n_batches * size if in_loop else min(size, len(epoch))
        # Two sets of buffers in turn: TensorFlow reads one while the other is filled.
        buffers = itertools.cycle([self._buffers(n_a_call), self._buffers(n_a_call)])

        def many(start, rates, filled):
            n_samples = len(rates) * size
            epoch.fill(start, start + n_samples, filled)
            return self._train_many, self._many_batches(rates, filled), len(rates), n_samples

        def one(start, rates, filled):
            stop = min(start + size, len(epoch))
            epoch.fill(start, stop, filled)
            rate = tf.constant(rates[0], self._dtype)
            batch = [_as_tensor(part[: stop - start]) for part in filled]
            return self._train_one, (rate, *batch), 1, stop - start

        def plans():
            start = 0
            while start < len(epoch):
                n_left = (n_many - start) // size
                rates = take(min(self._n_batches, n_left) if n_left > 0 else 1)
                if not len(rates):
                    return
                yield (many if n_left > 0 else one), start, rates, next(buffers)
                start += len(rates) * size

        with ThreadPoolExecutor(1) as gatherer:
            coming = None
            for plan in plans():
                here, coming = coming, gatherer.submit(*plan)
                if here is not None:
                    yield here.result()
            yield coming.result()

    def _buffers(self, n_samples):
        """Empty arrays for samples, labels and weights."""
        return [_aligned_array((n_samples, *shape), self._dtype) for shape in self._shapes]

    def _many_batches(self, rates, buffers):
        """What the loop takes: how many batches it trains on, their rates, and buffers for all."""
        all_rates = np.zeros(self._n_batches, self._dtype)
        all_rates[: len(rates)] = rates
        batches = [
            _as_tensor(part.reshape(self._n_batches, -1, *part.shape[1:])) for part in buffers
        ]
        return tf.constant(len(rates)), tf.constant(all_rates), *batches

    def _many_steps(self, n_batches, rates, X, y, weights):
        """Steps on the first ``n_batches`` batches of an axis of them."""

        def step(k, loss, n_right):
            loss_here, n_right_here = self._step(rates[k], X[k], y[k], weights[k])
            return k + 1, loss + loss_here, n_right + n_right_here

        nothing = tf.zeros((), self._dtype)
        return tf.while_loop(
            lambda k, *_: k < n_batches, step, (0, nothing, nothing), parallel_iterations=1
        )[1:]

    def _step(self, rate, X, y, weights):
        """One step, as Keras makes it; returns the sum of losses and the number of right ones."""
        network, optimizer = self._network, self._network.optimizer
        optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            probabilities = network(X, training=True)
            loss = network.compute_loss(
                x=X, y=y, y_pred=probabilities, sample_weight=weights, training=True
            )
            scaled_loss = optimizer.scale_loss(loss)
        variables = network.trainable_variables
        gradients = tape.gradient(scaled_loss, [v.value for v in variables])
        self._update(gradients)
        right = tf.argmax(probabilities, axis=1) == tf.argmax(y, axis=1)
        n_samples = tf.cast(tf.shape(X)[0], self._dtype)
        return (
            tf.cast(loss, self._dtype) * n_samples,
            tf.reduce_sum(tf.cast(right, self._dtype)),
        )


def _batches_a_call(shape, dtype, batch_size):
    """How many batches one call of the loop takes."""
    bytes_of_batch = batch_size * math.prod(shape) * dtype.itemsize
    return max(1, min(BYTES_A_CALL // bytes_of_batch, MOST_BATCHES_A_CALL))


def _aligned_array(shape, dtype):
    """An empty array that TensorFlow can read where it lies: at an address that it likes."""
    n_bytes = math.prod(shape) * dtype.itemsize
    memory = np.empty(n_bytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + n_bytes].view(dtype).reshape(shape)


def _as_tensor(array):
    """A tensor in an array's own memory."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def _is_faster_by_xla(layer):
    """Whether XLA computes a layer, and all layers in it, no slower than TensorFlow without it."""
    # XLA cannot compile layers that change pictures at random. Its convolutions use the processor
    # badly: 1.7 times the time alone, 30 times and more in a loop. It draws Keras' random numbers
    # by an algorithm that takes 30 ms for 128,000 of them instead of 1.2 ms.
    is_convolution = hasattr(layer, "kernel_size")
    draws_slowly = hasattr(layer, "seed_generator") and not isinstance(layer, Dropout)
    is_slow = is_convolution or draws_slowly or not layer.supports_jit
    return not is_slow and all(map(_is_faster_by_xla, _keys.sublayers(layer)))


def _copy(network):
    """Copy a compiled network, but for its weights and all other state."""
    with seeded_layers(0):  # which leaves the random state of others alone
        copied = keras.models.clone_model(network)
    for mine, other in zip(copied.variables, network.variables, strict=True):
        mine.trainable = other.trainable
    # the learning rate is given to each step
    config = network.optimizer.get_config() | {"learning_rate": 0.0}
    optimizer = type(network.optimizer).from_config(config)
    copied.compile(optimizer, network.loss)
    optimizer.build(copied.trainable_variables)
    return copied


def _copy_state(source, target):
    """Copy weights, the seeds of layers and what the optimizer has gathered."""
    for there, here in zip(_state(target), _state(source), strict=True):
        there.assign(here.value)


def _state(network):
    """All variables but the learning rate, which is given to each step."""
    rate = network.optimizer.learning_rate
    return [*network.variables, *(v for v in network.optimizer.variables if v is not rate)]
