"""What each subcommand of ``skcifar`` does.

What is slow to import is imported by the subcommand that needs it.
"""

from ._compare import compare
from ._evaluate import evaluate
from ._export import export
from ._predict import predict
from ._report import report
from ._search import search
from ._shared import complain
from ._train import train

__all__ = ["compare", "complain", "evaluate", "export", "predict", "report", "search", "train"]
