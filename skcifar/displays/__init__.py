"""Pictures of predictions, training and searches, in the shape of scikit-learn's displays.

Nothing here knows how anything is trained: data, or any fitted estimator or search, is enough.
"""

from ._augmentation import AugmentationDisplay
from ._candidates import candidate_labels, candidate_of, last_rows
from ._comparison import ComparisonDisplay
from ._confusions import ConfusionsDisplay
from ._explanation import ExplanationDisplay
from ._figures import RIGHT_COLOR, WRONG_COLOR, save_figure
from ._mistakes import MistakesDisplay
from ._predictions import PredictionGridDisplay
from ._reliability import ReliabilityDisplay
from ._search_histories import SearchHistoriesDisplay
from ._search_results import SearchResultsDisplay
from ._training_history import TrainingHistoryDisplay
from ._weights import FirstLayerDisplay

__all__ = [
    "AugmentationDisplay",
    "ComparisonDisplay",
    "ConfusionsDisplay",
    "ExplanationDisplay",
    "FirstLayerDisplay",
    "MistakesDisplay",
    "PredictionGridDisplay",
    "ReliabilityDisplay",
    "SearchHistoriesDisplay",
    "SearchResultsDisplay",
    "TrainingHistoryDisplay",
]
