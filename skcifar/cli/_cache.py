"""``skcifar cache``."""

from ._terminal import write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "cache",
        help="show or remove the decoded pictures that are kept",
        description="Show where decoded pictures are kept, and how much space they take. The"
        " commands keep them so that the same files are read only once, up to 10 GB; the least"
        " recently used are removed first.",
    )
    parser.add_argument("--clear", action="store_true", help="remove them all")
    parser.set_defaults(run=cache)


def cache(arguments):
    """Print the folder of decoded pictures and what it holds."""
    from ..datasets._cache import MAX_BYTES, default_folder, kept_files, remove

    folder = default_folder()
    if arguments.clear:
        for path in kept_files(folder):
            remove(path)
    files = kept_files(folder)
    gigabytes = sum(path.stat().st_size for path in files) / 1e9
    sets = "1 set" if len(files) == 1 else f"{len(files)} sets"
    write(f"{folder} holds {sets} of pictures, {gigabytes:.2f} of at most {MAX_BYTES / 1e9:g} GB")
    return 0
