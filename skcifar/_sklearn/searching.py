"""scikit-learn's searches, with another way to have candidates fitted on folds.

Which fits are done when, where and whether at all cannot be decided in a public way, so
``BaseSearchCV.fit`` is written anew here, from the private methods that it consists of itself. The
version of scikit-learn is pinned for this too. The other private names, and why:

- ``BaseSearchCV`` is the class whose ``fit`` that of halving calls by ``super()``;
- ``_fit_context`` validates parameters as each ``fit`` of scikit-learn does;
- ``_fit_and_score`` alone takes parameters that were routed before;
- ``_check_method_params`` and ``_safe_split`` cut out what a fold is fitted on, as it does;
- ``_MultimetricScorer`` is what several scorers come as, and returns errors as text.
"""

import time

from sklearn.base import _fit_context, clone, is_classifier
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.utils import indexable
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params

__all__ = ["BaseSearch", "fit_and_score", "is_multimetric"]


class BaseSearch(BaseSearchCV):
    """A search whose fits are done by the ``_fits`` of a subclass.

    Stands behind scikit-learn's classes of searches and before their base. ``_fits(shared, split)``
    is a context manager that gives a function: called with candidates, splits and a function to
    report each finished fit by, it returns times and scores as ``_fit_and_score`` does. ``shared``
    are the arguments of ``_fit_and_score`` that all fits have in common.
    """

    @_fit_context(prefer_skip_nested_validation=False)  # the estimator's parameters are not valid
    def fit(self, X, y=None, **params):
        """Fit and score every candidate on every fold, then fit the best on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training samples.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets.

        **params : dict of str -> object
            Passed to the ``fit`` of the estimator, to the scorer and to the splitter, as
            scikit-learn's searches do it.

        Returns
        -------
        self : object
            The fitted search.
        """
        scorer, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        split_params = routed.splitter.split
        # scikit-learn's callbacks are called where the search runs, not where the fits do
        reported = {"estimator": self, "X": X, "y": y, "metadata": _weights_among(params)}
        task = self._init_callback_context(max_subtasks=2 if self.refit else 1)
        with task.propagate_callback_context(clone(self.estimator)):
            pass  # raises what the last fit would raise, before all others
        task.call_on_fit_task_begin(**reported)
        self._checked_cv_orig = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self._check_input_parameters(X=X, y=y, split_params=split_params)
        self.n_splits_ = self._checked_cv_orig.get_n_splits(X, y, **split_params)
        shared = {
            "estimator": clone(self.estimator),
            "X": X,
            "y": y,
            "scorer": scorer,
            "fit_params": routed.estimator.fit,
            "score_params": routed.scorer.score,
            "return_train_score": self.return_train_score,
            "error_score": self.error_score,
            "verbose": self.verbose,
        }
        all_candidates, all_outcomes, all_more, results = [], [], {}, {}

        def split(cv=None):
            splits = list((cv or self._checked_cv_orig).split(X, y, **split_params))
            if len(splits) != self.n_splits_:
                raise ValueError(
                    f"cv announced {self.n_splits_} folds and made {len(splits)}. Both numbers"
                    " must be the same."
                )
            return splits

        with self._fits(shared, split) as fit_candidates:

            def evaluate(candidate_params, cv=None, more_results=None, callback_ctx=None):
                def report(number, train):
                    if callback_ctx is not None:
                        self._report_fit(shared, callback_ctx, number, train)

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
            self._refit(shared, task, reported)
        self.scorer_ = scorer._scorers if is_multimetric(scorer) else scorer
        self.cv_results_ = results
        task.call_on_fit_task_end(**reported)
        return self

    def _report_fit(self, shared, task, number, train):
        """Report a finished fit to scikit-learn's callbacks."""
        estimator, X, y, params = (shared[n] for n in ("estimator", "X", "y", "fit_params"))
        reported = {
            "estimator": self,
            # cut out only for callbacks that take them
            "X": lambda: _safe_split(estimator, X, y, train)[0],
            "y": lambda: _safe_split(estimator, X, y, train)[1],
            "metadata": lambda: _weights_among(_check_method_params(X, params, indices=train)),
        }
        subtask = task.subcontext(task_name="candidate-split-evaluation", task_id=number)
        subtask.call_on_fit_task_begin(**reported)
        subtask.call_on_fit_task_end(**reported)

    def _refit(self, shared, task, reported):
        """Fit the best candidate on all samples."""
        # values of parameters may be estimators, which must not be those of the results
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        samples = [shared["X"]] if shared["y"] is None else [shared["X"], shared["y"]]
        subtask = task.subcontext(task_name="refit-with-best-params")
        with subtask.propagate_callback_context(best):
            subtask.call_on_fit_task_begin(**reported)
            begin = time.time()
            best.fit(*samples, **shared["fit_params"])
            self.refit_time_ = time.time() - begin
        subtask.call_on_fit_task_end(**reported)
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def is_multimetric(scorer):
    """Whether a scorer stands for several, whose errors come as text."""
    return isinstance(scorer, _MultimetricScorer)


def _weights_among(params):
    """Return what callbacks get of the parameters of a fit."""
    weights = params.get("sample_weight")
    return None if weights is None else {"sample_weight": weights}
