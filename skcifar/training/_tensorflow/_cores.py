"""The share of the processor's cores that a worker process computes on."""

import multiprocessing
import os
import random
import socket
import sys
from contextlib import suppress
from pathlib import Path

CLAIM = "\0skcifar-core-{}"  # a socket's name without a file, which ends with the process

# By this environment variable, which they inherit, worker processes know how many threads the main
# process was set to take: what joblib sets in a worker may be that, or the worker's share.
THREADS_OF_MAIN_PROCESS = "SKCIFAR_THREADS"

_claims = []


def take_share_of_cores():
    """Keep a worker process to its share of the cores, and return its number of threads.

    joblib and Dask set the share of worker processes in ``OMP_NUM_THREADS``. How many threads add
    numbers up decides on how a sum is rounded, so that fewer threads would make a worker's networks
    differ from those of the main process, in the last digits at first. Where the operating system
    lets a process choose its cores, a worker therefore keeps to its share of them with as many
    threads as the main process has, one for each core unless it was set otherwise; that costs no
    time.
    """
    try:
        share = int(os.environ["OMP_NUM_THREADS"]) * _tasks_at_a_time()
    except (KeyError, ValueError):
        return None
    is_worker = multiprocessing.current_process().name != "MainProcess"
    if not (is_worker and hasattr(os, "sched_setaffinity")):  # which only Linux has
        if not 0 < share < (os.cpu_count() or 1):
            return None
        os.environ.setdefault(THREADS_OF_MAIN_PROCESS, str(share))
        return share
    cores = sorted(os.sched_getaffinity(0))
    if not 0 < share < len(cores):
        return None
    first = random.SystemRandom().randrange(len(cores))  # nobody's seed is touched
    in_turn = cores[first:] + cores[:first]
    free = [core for core in in_turn if len(_claims) < share and _claim(core)]
    # with more workers than shares, some have to meet on a core
    _keep_to([*free, *in_turn][:share])
    return int(os.environ.get(THREADS_OF_MAIN_PROCESS, len(cores)))


def _tasks_at_a_time():
    """How many tasks a Dask worker does at a time, each of which has a share of its own."""
    dask = sys.modules.get("distributed")  # loaded in its workers, and nothing else needs it here
    if dask is not None:
        with suppress(ValueError):  # no worker
            return dask.get_worker().state.nthreads
    return 1


def _claim(core):
    """Whether no other process of this package had this core, which is now this one's."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(CLAIM.format(core))
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def _keep_to(cores):
    for thread in Path("/proc/self/task").iterdir():  # those that are there; others follow suit
        with suppress(OSError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)
