"""The ``skcifar`` command: its subcommands, and how errors are reported."""

import argparse

from .._version import __version__
from . import _cache, _compare, _evaluate, _explain, _export, _predict, _report, _search, _train
from ._terminal import OutputClosed, complain, terminal

# in the order of --help; each imports what is slow to import only when it runs
SUBCOMMANDS = (_train, _search, _compare, _evaluate, _predict, _explain, _export, _report, _cache)


def main(argv=None):
    """Run the command.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments, by default those of the process.

    Returns
    -------
    exit_code : int
        0 on success, 2 after a user's mistake, 128 plus the number of the signal when interrupted
        (130), terminated (143), or when nobody reads the output (141).
    """
    with terminal():
        try:
            arguments = _build_parser().parse_args(argv)
            return arguments.run(arguments)
        except (OutputClosed, BrokenPipeError):
            return OutputClosed.exit_code
        except (ImportError, ValueError, OSError, MemoryError) as error:
            complain(error)
            return 2
        except KeyboardInterrupt as interrupt:
            complain(str(interrupt) or "interrupted")
            return getattr(interrupt, "exit_code", 130)


class _OneLineParser(argparse.ArgumentParser):
    """Reports a mistake in one line instead of the whole usage."""

    add_late = None  # adds arguments that are slow to find, once they are needed

    def parse_known_args(self, args=None, namespace=None):
        if self.add_late is not None:
            add_late, self.add_late = self.add_late, None
            add_late(self)
        return super().parse_known_args(args, namespace)

    def error(self, message):
        complain(f"{message} (see {self.prog} --help)", prog=self.prog)
        self.exit(2)


def _build_parser():
    parser = _OneLineParser(
        prog="skcifar",
        description="Train a neural network on pictures, score it, and predict new ones.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for subcommand in SUBCOMMANDS:
        subcommand.add_parser(subparsers)
    return parser
