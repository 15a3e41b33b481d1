"""``skcifar report``."""

from ._terminal import complain, write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "report",
        help="write one page that shows what a run left",
        description="Write one HTML page of the numbers, pictures and parameters in a folder. It"
        " is self-contained, so it can be sent, and read offline.",
    )
    parser.add_argument(
        "folder",
        metavar="RUN_DIR",
        help="folder written by skcifar train, compare, search or evaluate --out",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="page to write (default: report.html in RUN_DIR)"
    )
    parser.set_defaults(run=report)


def report(arguments):
    """Write one page of what a command left, as far as it is there."""
    from ..runs.report import write_report

    path, problems = write_report(arguments.folder, path=arguments.out)
    write(f"{path} shows {arguments.folder}")
    if problems:
        complain(f"not on the page: {'; '.join(problems)}")
    return 2 if problems else 0
