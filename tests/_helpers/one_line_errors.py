"""Errors of the command, each of which is one line."""

from skcifar.cli._parser import main


def error_of(capsys, argv):
    """Run the command with a mistake in it and return the one line that it prints."""
    try:
        code = main(argv)
    except SystemExit as exit_:
        code = exit_.code
    assert code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]
