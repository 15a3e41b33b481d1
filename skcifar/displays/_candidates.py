"""The candidates of a search, their parameters and their names."""

from contextlib import suppress
from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted


def score_name_of(search):
    """Return the score by which a search chose the best of its candidates."""
    check_is_fitted(search, "cv_results_")
    if not search.multimetric_:
        return "score"
    prefix = "mean_test_"
    names = [n.removeprefix(prefix) for n in search.cv_results_ if n.startswith(prefix)]
    if search.refit not in names:
        raise ValueError(
            f"refit must name the score to draw, one of {', '.join(names)}, got {search.refit!r}."
            f" Search again with refit={names[0]!r}, for example."
        )
    return search.refit


def last_rows(search):
    """Return the row of each candidate in the results of a search, the best first."""
    score_name = score_name_of(search)
    results = search.cv_results_
    means = np.nan_to_num(results[f"mean_test_{score_name}"], nan=-np.inf)
    rounds = np.asarray(results.get("iter", np.zeros(len(means), int)))
    # the chosen one is first, even if another has the same score
    order = sorted(
        range(len(means)), key=lambda row: (row != search.best_index_, -rounds[row], -means[row])
    )
    rows = {}
    for row in order:
        rows.setdefault(repr(candidate_of(search, row)), row)
    return list(rows.values())


def candidate_of(search, row):
    """Return the parameters in a row of a search's results, less those that a round sets."""
    params = search.cv_results_["params"][row]
    return {k: v for k, v in params.items() if k != getattr(search, "resource", None)}


def searched_values(candidates):
    """Return the values of each parameter that candidates differ in."""
    values = {}
    for params in candidates:
        for name, value in params.items():
            known = values.setdefault(name, [])
            if not any(same(value, other) for other in known):
                known.append(value)
    for known in values.values():
        if all(isinstance(value, (Real, tuple, list)) for value in known):
            with suppress(TypeError):  # of tuples and numbers side by side
                known.sort()
    partly = {n for n in values if any(n not in params for params in candidates)}
    differing = {n: v for n, v in values.items() if len(v) > 1 or n in partly}
    return differing or values


def short_names(names):
    """Leave out the steps of a Pipeline from names of parameters, as far as they stay different."""
    names = list(names)
    ends = [name.rpartition("__")[-1] for name in names]
    return {
        name: end if ends.count(end) == 1 else name for name, end in zip(names, ends, strict=True)
    }


def candidate_labels(candidates):
    """Return a text for each candidate: the parameters that they differ in."""
    short = short_names(searched_values(candidates))
    return [
        ", ".join(f"{short[name]}={params[name]}" for name in short if name in params)
        for params in candidates
    ]


def same(value, other):
    return type(value) is type(other) and repr(value) == repr(other)
