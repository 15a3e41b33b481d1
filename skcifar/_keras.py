"""Keras: imported with a sentence on what keeps it from that, and its settings in one object.

The settings are those of Keras that decide results. They go with a task to another process.
"""

import multiprocessing
import os
import re
import sys
import tempfile
import threading
from contextlib import contextmanager

# What TensorFlow writes to standard error when it starts on a machine without a GPU, line by line.
CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    rb"|I\d{4} .*|To enable the following instructions: .*|.*failed call to cuInit: .* \(303\)"
)


@contextmanager
def _without_chatter():
    """Keep from the screen what TensorFlow says of itself when it starts, but no error of its."""
    # It writes from C++ before it reads any setting, so the file descriptor itself is redirected.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # nothing of the kind later either
    if sys.__stderr__ is None:  # there is no screen, and 2 may be any file
        yield
        return
    sys.__stderr__.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(screen, 2)
            os.close(screen)
            written.seek(0)
            for line in written:
                if not CHATTER.fullmatch(line.rstrip()):
                    os.write(2, line)


try:
    with _without_chatter():
        import keras

        if keras.config.backend() == "tensorflow":
            import tensorflow

            tensorflow.config.list_physical_devices()  # looks for a GPU now, and says so
except (ImportError, ValueError) as error:  # of an unknown backend, or a wrong setting
    raise ImportError(
        f"Keras cannot be imported ({error}). Set KERAS_BACKEND in the environment, or Keras' own"
        " file keras.json, to a backend that is installed, such as tensorflow, and its other"
        " settings to what Keras takes."
    ) from error

_policy = {}  # of the main thread when it was last asked for, or of the task that came last


def keras_settings():
    """Return the settings of Keras that results depend on."""
    return {
        "backend": keras.config.backend(),
        "floatx": keras.config.floatx(),
        "dtype policy": keras.config.dtype_policy().name,
        "epsilon": keras.config.epsilon(),
        "image data format": keras.config.image_data_format(),
    }


def settings_to_send():
    """Return the settings for another process, in whichever thread they are asked for.

    Keras keeps a dtype policy for each thread, and joblib pickles tasks in threads of its own.
    """
    settings = keras_settings()
    if threading.current_thread() is threading.main_thread():
        _policy["dtype policy"] = settings["dtype policy"]
    return settings | _policy


def set_keras_settings(settings):
    """Take over the settings of another process, all but the backend, which must be the same."""
    if settings["backend"] != keras.config.backend():
        raise ValueError(
            f"This process computes with the backend {keras.config.backend()}, the one that sent"
            f" its task with {settings['backend']}. Set KERAS_BACKEND={settings['backend']} where"
            " workers are started."
        )
    keras.config.set_floatx(settings["floatx"])
    _policy["dtype policy"] = settings["dtype policy"]
    set_policy_of_task()
    keras.config.set_epsilon(settings["epsilon"])
    keras.config.set_image_data_format(settings["image data format"])


def set_policy_of_task():
    """Give this thread of a worker process the dtype policy that came with its task."""
    if is_worker() and _policy:
        keras.config.set_dtype_policy(_policy["dtype policy"])


def is_worker():
    """Whether this process computes for another one, which sends it tasks."""
    return multiprocessing.parent_process() is not None


def check_image_data_format():
    """Raise if Keras' layers expect channels before height and width."""
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "skcifar's pictures are of shape (height, width, n_channels), and Keras'"
            f" image_data_format is {keras.config.image_data_format()!r}. Set it to"
            ' "channels_last", in keras.json or by keras.config.set_image_data_format.'
        )
