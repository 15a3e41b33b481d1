"""``skcifar cache``."""

from ._terminal import write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "cache",
        help="show or remove the pictures that are kept decoded",
        description="Show how much is kept of pictures that were decoded, and where. The commands"
        " keep them so that the same files are read once only; at most 10 GB, of which goes first"
        " what was not used for longest.",
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
