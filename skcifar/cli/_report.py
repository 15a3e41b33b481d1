"""``skcifar report``."""

from ._shared import complain


def report(arguments):
    """Write one page of what a run, a comparison or a search left, as far as it is there."""
    from ..runs.report import write_report

    path, problems = write_report(arguments.folder, path=arguments.out)
    print(f"{path} shows {arguments.folder}")
    if problems:
        complain(f"not on the page: {'; '.join(problems)}")
    return 2 if problems else 0
