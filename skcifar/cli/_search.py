"""``skcifar search``."""

import time

from ._arguments import (
    add_image_size,
    add_random_state,
    data_arguments,
    int_from,
    jobs,
    positive_int,
)
from ._shared import (
    list_files,
    load_train_test_pictures,
    print_data,
    score,
    typed_reading,
)
from ._terminal import complain, write


def add_parser(subparsers):
    """Add the subcommand and its arguments."""
    parser = subparsers.add_parser(
        "search",
        parents=[data_arguments()],
        help="search for good parameters of the dense network, on this machine or on many",
        description="Search for good parameters of the dense network by cross-validation. An"
        " interrupted search resumes where it was when the same command is given again.",
    )
    grid = parser.add_mutually_exclusive_group()
    grid.add_argument(
        "--grid",
        metavar="FILE",
        help="TOML file of lists of values, named after parameters of DenseClassifier, such as"
        " dropout = [0.0, 0.2]; several grids are [[grid]] tables",
    )
    grid.add_argument(
        "--preset",
        choices=("quick", "dense"),
        help="built-in grid: a first look, or large networks (default: quick)",
    )
    parser.add_argument(
        "--epochs",
        type=positive_int,
        default=10,
        metavar="N",
        help="passes over the pictures (default: %(default)s)",
    )
    parser.add_argument(
        "--cv",
        type=int_from(2, 2**31 - 1),
        default=3,
        metavar="N",
        help="folds, each left out once for validation (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs",
        type=jobs,
        default=1,
        metavar="N",
        help="number of parallel fits on this machine, -1 for one per core (default: %(default)s)",
    )
    parser.add_argument(
        "--halving",
        action="store_true",
        help="start with few epochs, and give more only to the best third, round by round",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="do the fits on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786",
    )
    add_image_size(parser)
    add_random_state(parser)
    parser.add_argument(
        "--out",
        default="skcifar-search",
        metavar="DIR",
        help="folder to write to, and to resume in (default: %(default)s)",
    )
    parser.set_defaults(run=search)


def search(arguments):
    """Search for good parameters of the dense pipeline, and write what came out."""
    from ..pipelines import make_dense_pipeline
    from ..runs import _search as _searches
    from ..runs._balance import balance_scores, describe_balance
    from ..runs._files import JOURNAL, SEARCH_FILES
    from ..runs._training import prepare_run_folder, save_first
    from ._progress import SearchProgress

    reading = typed_reading(arguments)
    given = {"epochs": arguments.epochs, "random_state": arguments.random_state}
    pipeline = make_dense_pipeline(**given, **reading)
    preset = arguments.preset or "quick"
    grids = _searches.check_grids(
        _searches.read_grid(arguments.grid) if arguments.grid else preset,
        pipeline,
        source=arguments.grid or f"preset {preset}",
        halving=arguments.halving,
    )
    source, (X_train, y_train, _), (X_test, y_test, _) = load_train_test_pictures(
        arguments, reading
    )
    folder = prepare_run_folder(arguments.out)
    imbalance = print_data(source, y_train, y_test)
    search = _searches.make_search(
        pipeline,
        grids,
        halving=arguments.halving,
        cv=arguments.cv,
        n_jobs=arguments.jobs,
        scheduler=arguments.scheduler,
        journal=folder / JOURNAL,
    )
    plan, n_fits = _searches.describe_plan(search)
    write(plan)

    begin = time.perf_counter()
    progress = SearchProgress(n_fits=n_fits, n_folds=arguments.cv)
    try:
        with progress:
            _searches.fit_search(search, X_train, y_train, on_result=progress)
    except KeyboardInterrupt as interrupt:
        interrupt.args = (
            f"interrupted, {progress.n_done} of {n_fits} fits are in {search.journal}. The same"
            " command resumes from there.",
        )
        raise
    seconds = time.perf_counter() - begin

    save_first(search.best_estimator_, folder, SEARCH_FILES)
    test_loss, test_accuracy, y_proba = score(search.best_estimator_, X_test, y_test)
    metrics = {
        "data": source,
        "n_train": len(X_train),
        "n_test": len(X_test),
        "n_fits": n_fits,
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
        "seconds": seconds,
    }
    if imbalance:
        metrics |= balance_scores(y_test, search.classes_[y_proba.argmax(axis=1)])
    for problem in _searches.write_search(folder, search, metrics):
        complain(problem, kind="warning")
    ranking, best = _searches.describe_ranking(search)
    write(
        "",
        *ranking,
        "",
        f"best: {best}",
        f"searched in {seconds:.1f} s, {search.refit_time_:.1f} s of it to train the best on"
        " all pictures",
        f"test   loss {test_loss:.4f}   accuracy {test_accuracy:.4f}",
        *describe_balance(metrics),
        "",
        list_files(folder, SEARCH_FILES),
    )
    return 0
