"""Tasks on the machines of a Dask cluster: the one module that knows Dask.

Dask is imported when it is needed, and need not be there otherwise.
"""

import asyncio
import functools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sklearn import config_context, get_config

SCHEDULER_TIMEOUT = 8  # seconds
WORKERS_TIMEOUT = 10


class Cluster:
    """Workers that share data and do tasks with it."""

    def __init__(self, client, shared, *, retries):
        self.client = client
        self.shared = shared
        self.retries = retries
        self.address = client.scheduler.address
        self._sent = None

    def run(self, function, tasks, groups):
        """Do tasks, and yield number, result and error as each is done.

        ``tasks`` has a group and options by number, of which ``function(shared, groups[group],
        **options)`` is called on a worker. An error is that of a task that ended every worker it
        was given to, or could not be read by one; what the function raises is raised here.
        """
        from distributed import KilledWorker

        unfinished = dict(tasks)
        n_killed = Counter()
        for _ in range(1 + self.retries):
            # those that may have ended their workers go alone, lest others are blamed for it
            batches = [[number for number in unfinished if not n_killed[number]]]
            batches += [[number] for number in unfinished if n_killed[number]]
            for batch in filter(None, batches):
                for number, result, error in self._do(function, tasks, batch, groups):
                    if isinstance(error, KilledWorker):
                        n_killed[number] += 1
                    else:
                        del unfinished[number]
                        yield number, result, error
            if not unfinished:
                return
        for number in [n for n in unfinished if n_killed[n] == 1 + self.retries]:
            del unfinished[number]
            error = OSError("each worker that it was given to ended, usually for lack of memory")
            yield number, None, error
        if unfinished:
            raise OSError(
                f"The Dask cluster at {self.address} lost its workers or its scheduler"
                f" {1 + self.retries} times, and {len(unfinished)} fits are not done. See why they"
                " end, or raise `retries`."
            )

    def _do(self, function, tasks, numbers, groups):
        """Send tasks out once; those whose data went with its last holder yield nothing."""
        from distributed import as_completed

        data, parts = self._send(groups)
        pending = {
            self.client.submit(
                _call,
                get_config(),
                function,
                data,
                parts[tasks[number][0]],
                tasks[number][1],
                pure=False,  # two searches may submit the same fits, and random numbers differ
                retries=self.retries,
            ): number
            for number in numbers
        }
        finished = as_completed(
            list(pending), loop=self.client.loop, with_results=True, raise_errors=False
        )
        try:
            for future, result in finished:
                if future.status == "error":
                    yield pending.pop(future), None, result[1]
                elif future.status == "finished":
                    value, error = result
                    if error is not None:
                        raise error
                    yield pending.pop(future), value, None
        finally:
            if pending:
                self.client.cancel(list(pending))

    def _send(self, groups):
        """Put data on every worker, as far as it is not there."""
        # named by chance: names by content take time, and one that was lost would stay lost
        scatter = functools.partial(self.client.scatter, broadcast=True, hash=False)
        try:
            self.client.wait_for_workers(1, timeout=WORKERS_TIMEOUT)
            if self._sent is None or self._sent.status != "finished":
                (self._sent,) = scatter([self.shared])
            return self._sent, scatter(groups)
        except TimeoutError as error:
            raise OSError(
                f"The Dask scheduler at {self.address} has no workers. Start some, on any machine"
                f" that has skcifar: dask worker {self.address} --nworkers 2 --nthreads 1"
            ) from error
        except Exception as error:  # what goes wrong on a worker is raised here as well
            raise OSError(
                f"The Dask cluster at {self.address} cannot take the data ({error}). Start its"
                " scheduler and workers again, with what is installed here in the same versions."
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
                f" ({' '.join(str(error).split()) or type(error).__name__}). Start one by `dask"
                " scheduler` and give the address that it prints, such as tcp://192.168.1.10:8786."
            ) from error
    with distributed.Client(scheduler, timeout=SCHEDULER_TIMEOUT, set_as_default=False) as client:
        yield client


async def _identify(address):
    """Raise unless a scheduler answers."""
    from distributed import Security, rpc

    async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
        await asyncio.wait_for(scheduler.identity(), SCHEDULER_TIMEOUT)


def _call(config, function, shared, group, options):
    """Return the function's result and its error, under the settings of the client.

    An error that were raised would have Dask try again what would only fail again.
    """
    try:
        with config_context(**config):
            return function(shared, group, **options), None
    except Exception as error:
        return None, error
