"""The one writer to the terminal: what comes from data and files is escaped, never executed."""

import io
import os
import signal
import sys
import warnings
from contextlib import contextmanager, suppress


class OutputClosed(KeyboardInterrupt):
    """Nobody reads the output any more, such as after ``| head``."""

    exit_code = 141  # as a shell reports of a program that SIGPIPE ended


class Terminated(KeyboardInterrupt):
    """The system or a person asked the process to end."""

    def __init__(self, signum):
        super().__init__("terminated")
        self.exit_code = 128 + signum


def printable(text):
    """Escape all but visible characters and blanks, line breaks too."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def write(*lines):
    """Print lines on standard output, each of them in one line whatever it holds."""
    try:
        print(*map(printable, lines), sep="\n", flush=True)
    except OSError as error:
        _discard_output()
        if isinstance(error, BrokenPipeError):
            raise OutputClosed from None
        raise


def complain(error, *, kind="error", prog="skcifar"):
    """Report an error in one line on standard error."""
    reported = printable(" ".join(str(error).split()))
    with suppress(OSError):  # the exit code reports it then
        print(f"{prog}: {kind}: {reported}", file=sys.stderr, flush=True)


@contextmanager
def terminal():
    """Let the streams take any text, and turn a signal to terminate into an interrupt."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]
    # what is ignored, such as by nohup, or has a handler of the caller's, stays so
    numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *where: complain(message, kind="warning")
        try:
            for number in numbers:
                signal.signal(number, _terminate)
            yield
        finally:
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)
            try:
                sys.stdout.flush()  # of --help, which is not by write
            except OSError:
                _discard_output()


def _terminate(signum, frame):
    raise Terminated(signum)


def _open_closed_streams():
    """Open what the shell closed by ``>&-``, or the next files would be taken for the streams."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            _discard(number)
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))


def _discard_output():
    """Throw away what is in the buffer too, which would fail again at the exit."""
    _discard(sys.stdout.fileno())


def _discard(number):
    nothing = os.open(os.devnull, os.O_WRONLY)
    if nothing == number:
        os.set_inheritable(number, True)  # by the processes of compare
    else:
        os.dup2(nothing, number)
        os.close(nothing)
