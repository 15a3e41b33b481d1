"""``python -m skcifar`` is the ``skcifar`` command."""

import sys

from .cli._parser import main

if __name__ == "__main__":
    sys.exit(main())
