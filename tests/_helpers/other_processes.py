"""What tests have other processes do; in a module of its own, since these import all of it."""

import os
import signal

from skcifar.cli._processes import peak_memory


def memory_with(name, n_bytes):
    """Use memory, and return what the process had at most."""
    used = b"1" * n_bytes
    return peak_memory() + 0 * used[-1]


def raise_error(name, error):
    raise error


def run_out_of_luck(name, *arguments):
    raise MemoryError("out of luck")


def raise_data(name, path, arguments, reading):
    raise ValueError(f"{arguments.data} of {reading['image_size']}")


def kill_process(name):
    os.kill(os.getpid(), signal.SIGKILL)
