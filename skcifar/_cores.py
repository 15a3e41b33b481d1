"""The share of the processor's cores that a worker process computes on.

Knows the operating system alone.
"""

import os
import random
import socket

_claims = []  # sockets whose names stand for cores; they are free again when the process ends


def take_share_of_cores():
    """Keep to as many cores as ``OMP_NUM_THREADS`` says.

    joblib and Dask tell worker processes their share of the cores in this variable. How many
    threads add numbers up decides on how a sum is rounded, so that fewer threads would make a
    worker's networks differ from those of the main process, in the last digits at first. Where the
    operating system lets a process choose its cores, it therefore keeps to its share of them with
    as many threads as ever; that costs no time.

    Returns
    -------
    n_threads : int or None
        How many threads are to compute. None where nothing was said, or all cores were.
    """
    try:
        share = int(os.environ["OMP_NUM_THREADS"])
    except (KeyError, ValueError):
        return None
    if not hasattr(os, "sched_setaffinity"):  # only Linux has it
        return share if 0 < share < (os.cpu_count() or 1) else None
    cores = sorted(os.sched_getaffinity(0))
    if not 0 < share < len(cores):
        return None
    first = random.SystemRandom().randrange(len(cores))  # nobody's seed is touched
    in_turn = cores[first:] + cores[:first]
    free = [core for core in in_turn if len(_claims) < share and _claim(core)]
    # with more workers than shares, some have to meet on a core
    os.sched_setaffinity(0, [*free, *in_turn][:share])
    return len(cores)


def _claim(core):
    """Whether no other process of this package had this core, which it then has no more."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0skcifar-core-{core}")  # a name without a file, which ends with the process
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True
