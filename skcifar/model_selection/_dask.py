"""The fits of a search on the machines of a Dask cluster: the one module that knows Dask.

Dask is imported when it is needed, and need not be there otherwise.
"""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from sklearn import config_context, get_config

from ._fits import fit_candidate

SCHEDULER_TIMEOUT = 8  # seconds
WORKERS_TIMEOUT = 10


class Cluster:
    """The workers of a cluster, which share the data of a search."""

    def __init__(self, client, data, *, retries):
        self.client = client
        self.data = data
        self.n_attempts = 1 + retries
        self.address = client.scheduler.address
        self._sent = None

    def run(self, tasks, splits):
        """Do the tasks on the cluster; what a fit raises is raised here."""
        unfinished = dict(tasks)
        n_killed = Counter()
        for _ in range(self.n_attempts):
            # those that may have ended their workers go alone, lest others are blamed for it
            together = {n: task for n, task in unfinished.items() if not n_killed[n]}
            alone = [{n: task} for n, task in unfinished.items() if n_killed[n]]
            for batch in filter(None, [together, *alone]):
                for number, result in self._attempt(batch, splits, n_killed):
                    del unfinished[number]
                    yield number, result, None
        for number in [n for n in unfinished if n_killed[n] == self.n_attempts]:
            del unfinished[number]
            error = OSError("each worker that it was given to ended, usually for lack of memory")
            yield number, None, error
        if unfinished:
            raise OSError(
                f"The Dask cluster at {self.address} lost its workers or its scheduler"
                f" {self.n_attempts} times, and {len(unfinished)} fits are not done. Find out"
                " why, or raise `retries`."
            )

    def _attempt(self, tasks, splits, n_killed):
        """Send tasks out once; those whose data went with its last holder yield nothing."""
        from distributed import KilledWorker, as_completed

        data, splits = self._send(splits)
        pending = {
            # not pure, as two searches may need the same, and random numbers differ
            self.client.submit(_fit, get_config(), data, splits[fold], params, pure=False): number
            for number, (params, fold) in tasks.items()
        }
        finished = as_completed(
            list(pending), loop=self.client.loop, with_results=True, raise_errors=False
        )
        try:
            for future, result in finished:
                if future.status == "finished":
                    yield pending.pop(future), result
                elif future.status == "error":
                    number, error = pending.pop(future), result[1]
                    if not isinstance(error, KilledWorker):
                        raise error
                    n_killed[number] += 1
        finally:
            if pending:
                self.client.cancel(list(pending))

    def _send(self, splits):
        """Put data on every worker, as far as it is not there."""
        # named by chance: names by content take time, and one that was lost would stay lost
        scatter = partial(self.client.scatter, broadcast=True, hash=False)
        try:
            self.client.wait_for_workers(1, timeout=WORKERS_TIMEOUT)
            if self._sent is None or self._sent.status != "finished":
                (self._sent,) = scatter([self.data])
            return self._sent, scatter(splits)
        except TimeoutError as error:
            raise OSError(
                f"The Dask scheduler at {self.address} has no workers. Start some, on any machine"
                f" that has skcifar: dask worker {self.address} --nworkers 2 --nthreads 1"
            ) from error
        except Exception as error:  # what goes wrong on a worker is raised here as well
            raise OSError(
                f"The Dask cluster at {self.address} cannot take the data ({error}). Restart"
                " its scheduler and workers with the versions that are installed here."
            ) from error


@contextmanager
def connected(scheduler):
    """Give the client of a Dask scheduler, and close it if it was opened here."""
    try:
        import distributed
    except ImportError as error:
        raise ImportError(
            'Spreading a search over machines needs Dask: pip install "skcifar[dask]"'
        ) from error
    if not isinstance(scheduler, str):
        yield scheduler
        return
    # A Client that does not get through hangs on long after, so the scheduler is tried by a plain
    # call first; in a thread, for there may be an event loop in this one, as in a notebook.
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(asyncio.run, _identify(scheduler)).result()
        except Exception as error:
            raise OSError(
                f"No Dask scheduler answers at {scheduler!r}"
                f" ({' '.join(str(error).split()) or type(error).__name__}). Start one with `dask"
                " scheduler` and give the address that it prints, such as tcp://192.168.1.10:8786."
            ) from error
    with distributed.Client(scheduler, timeout=SCHEDULER_TIMEOUT, set_as_default=False) as client:
        yield client


async def _identify(address):
    """Raise unless a scheduler answers."""
    from distributed import Security, rpc

    async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
        await asyncio.wait_for(scheduler.identity(), SCHEDULER_TIMEOUT)


def _fit(config, *args):
    """Fit a candidate under the settings of the client."""
    with config_context(**config):
        return fit_candidate(*args)
