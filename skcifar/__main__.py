"""``python -m skcifar`` is the ``skcifar`` command."""

import sys

from .cli import main

sys.exit(main())
