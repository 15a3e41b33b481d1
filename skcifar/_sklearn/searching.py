"""scikit-learn's searches, with another way to have candidates fitted on folds.

Which fits are done when, where and whether at all cannot be decided in a public way, so
``BaseSearchCV.fit`` is written anew here, from the private methods that it consists of itself. The
version of scikit-learn is pinned for this too. The other private names, and why:

- ``BaseSearchCV`` is the class whose ``fit`` that of halving calls by ``super()``;
- ``_fit_context`` validates parameters as each ``fit`` of scikit-learn does;
- ``_check_method_params`` and ``_safe_split`` cut out what a fold is fitted on, as it does;
- ``_MultimetricScorer`` is what several scorers come as, and returns errors as text.
"""

import time
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params


@dataclass(frozen=True)
class SearchData:
    """What all fits of a search have in common."""

    estimator: Any
    X: Any
    y: Any
    scorer: Any
    fit_params: dict
    score_params: dict
    return_train_score: bool
    raises: bool

    @property
    def multimetric(self):
        """Whether there are several scorers, whose errors come as text."""
        return isinstance(self.scorer, _MultimetricScorer)

    def fit(self, estimator, train):
        """Fit an estimator on some samples."""
        X, y = _safe_split(estimator, self.X, self.y, train)
        estimator.fit(*_given(X, y), **self.fit_params_of(train))

    def score(self, estimator, indices, train=None):
        """Score an estimator on some samples; ``train`` are those fitted, if they are others."""
        X, y = _safe_split(estimator, self.X, self.y, indices, train)
        params = _check_method_params(self.X, params=self.score_params, indices=indices)
        return self.scorer(estimator, *_given(X, y), **params)

    def fit_params_of(self, train):
        """Return the parameters of ``fit`` for some samples."""
        return _check_method_params(self.X, params=self.fit_params, indices=train)


class BaseSearch(BaseSearchCV):
    """A search whose fits are done by the ``_fits`` of a subclass.

    Stands behind scikit-learn's classes of searches and before their base. ``_fits(data, split)``
    is a context manager that gives a function: called with candidates, splits and a function to
    report each finished fit by, it returns a dict for each fit, with its times, scores and history.
    """

    @_fit_context(prefer_skip_nested_validation=False)  # the estimator's parameters are not valid
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        scorer, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        split_params = routed.splitter.split
        # scikit-learn's callbacks are called where the search runs, not where the fits do
        reported = {"estimator": self, "X": X, "y": y, "metadata": _weights_among(params)}
        task = self._init_callback_context(max_subtasks=2 if self.refit else 1)
        # raises what each fit would raise, before all of them; on a copy, since it marks the task
        with copy(task).propagate_callback_context(clone(self.estimator)):
            pass
        task.call_on_fit_task_begin(**reported)
        self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self._check_input_parameters(X=X, y=y, split_params=split_params)
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **split_params)
        data = SearchData(
            X=X,
            y=y,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            estimator=clone(self.estimator),
            scorer=scorer,
            return_train_score=self.return_train_score,
            raises=self.error_score == "raise",
        )
        all_candidates, all_outcomes, all_more, results = [], [], {}, {}

        def split(cv=None):
            splits = list((cv or self._checked_cv_orig).split(X, y, **split_params))
            if len(splits) != self.n_splits_:
                raise ValueError(
                    f"cv announced {self.n_splits_} folds and made {len(splits)}. Both numbers"
                    " must be the same."
                )
            return splits

        with self._fits(data, split) as fit_candidates:

            def evaluate(candidate_params, cv=None, more_results=None, callback_ctx=None):
                report = partial(self._report_fit, data, callback_ctx)
                candidates = list(candidate_params)
                all_outcomes.extend(fit_candidates(candidates, split(cv), report))
                all_candidates.extend(candidates)
                for name, values in (more_results or {}).items():
                    all_more.setdefault(name, []).extend(values)
                results.update(
                    self._format_results(all_candidates, self.n_splits_, all_outcomes, all_more)
                )
                return results

            self._run_search(evaluate, callback_ctx=task)

        first_scores = all_outcomes[0]["test_scores"]
        self.multimetric_ = isinstance(first_scores, dict)
        if callable(self.scoring) and self.multimetric_:  # known only from what it returned
            self._check_refit_for_multimetric(first_scores)
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
            self.best_params_ = results["params"][self.best_index_]
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
        if self.refit:
            self._refit(data, task, reported)
        self.scorer_ = scorer._scorers if data.multimetric else scorer
        self.cv_results_ = results
        histories = [outcome["history"] for outcome in all_outcomes]
        rows = range(0, len(histories), self.n_splits_)
        self.histories_ = [histories[row : row + self.n_splits_] for row in rows]
        task.call_on_fit_task_end(**reported)
        return self

    fit.__doc__ = BaseSearchCV.fit.__doc__

    def _report_fit(self, data, task, number, train):
        """Report a finished fit to scikit-learn's callbacks."""
        reported = {
            "estimator": self,
            # functions, called only for callbacks that take the values
            "X": lambda: _safe_split(data.estimator, data.X, data.y, train)[0],
            "y": lambda: _safe_split(data.estimator, data.X, data.y, train)[1],
            "metadata": lambda: _weights_among(data.fit_params_of(train)),
        }
        subtask = task.subcontext(task_name="candidate-split-evaluation", task_id=number)
        subtask.call_on_fit_task_begin(**reported)
        subtask.call_on_fit_task_end(**reported)

    def _refit(self, data, task, reported):
        """Fit the best candidate on all samples."""
        # values of parameters may be estimators, which must not be those of the results
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        subtask = task.subcontext(task_name="refit-with-best-params")
        with subtask.propagate_callback_context(best):
            subtask.call_on_fit_task_begin(**reported)
            begin = time.time()
            best.fit(*_given(data.X, data.y), **data.fit_params)
            self.refit_time_ = time.time() - begin
        subtask.call_on_fit_task_end(**reported)
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def _given(X, y):
    """Return the arguments that stand for X and y where y may be missing."""
    return (X,) if y is None else (X, y)


def _weights_among(params):
    """Return what callbacks get of the parameters of a fit."""
    weights = params.get("sample_weight")
    return None if weights is None else {"sample_weight": weights}
