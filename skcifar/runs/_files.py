"""The files that commands leave in a folder, in the order in which they are named."""

from ._pictures import COMPARISON, EVALUATION, RUN, SEARCH

MODEL = "model.safetensors"
JOURNAL = "journal.jsonl"  # of a search, which goes on from it
PAGE = "report.html"

RUN_FILES = (MODEL, "metrics.json", "history.csv", "mistakes.csv", *RUN)
EVALUATION_FILES = ("evaluation.json", "mistakes.csv", *EVALUATION)
COMPARISON_FILES = ("comparison.json", "comparison.csv", *COMPARISON)
SEARCH_FILES = (MODEL, "metrics.json", "cv_results.csv", "learning_curves.csv", *SEARCH, JOURNAL)
