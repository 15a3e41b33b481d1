"""A process for one network alone, and the memory that it took."""

import multiprocessing
import signal
import sys
from contextlib import suppress
from pathlib import Path

from ._terminal import OutputClosed

ERRORS = (ValueError, OSError, MemoryError)  # whose messages say what was wrong and what to do


def in_a_process_of_its_own(function, name, *arguments):
    """Call a function in a new process, so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, function, name, *arguments))
    # an interrupt is for this process alone, which ends the other; the new one inherits that
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, handler)
    sender.close()
    try:
        result, error = receiver.recv()
    except EOFError:
        process.join()
        raise OSError(
            f"{name}: the process that trained it was killed before it was done (exit code"
            f" {process.exitcode}), usually for lack of memory. Use fewer pictures with --limit."
        ) from None
    else:
        process.join()
    finally:
        process.kill()  # if this one was interrupted
        process.join()
        receiver.close()
    if isinstance(error, KeyboardInterrupt):
        raise error
    if error is not None:
        raise ValueError(f"{name}: {error}")
    return result


def _answer(sender, function, *arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is not inherited on Windows
    try:
        answer = function(*arguments), None
    except OutputClosed as closed:
        answer = None, closed
    except Exception as error:  # a traceback of another process would help nobody
        message = str(error) if isinstance(error, ERRORS) else f"{type(error).__name__}: {error}"
        answer = None, message or type(error).__name__
    sender.send(answer)


def peak_memory():
    """Return the peak memory of this process, in bytes."""
    # Linux counts in getrusage what the parent process had when it began this one
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
