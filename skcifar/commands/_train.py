"""``skcifar train``."""

import time

from ._shared import (
    load_train_test_pictures,
    make_console,
    make_pipeline,
    quiet_tensorflow,
    score,
    suit_to_data,
    tell_data,
)


def train(arguments):
    """Train a pipeline, score it, and write what came out.

    Parameters
    ----------
    arguments : argparse.Namespace
        What was typed, as for every function here.

    Returns
    -------
    exit_code : int
        0 when all was done.
    """
    import matplotlib

    with quiet_tensorflow():
        from .._progress import EpochProgress
        from ..runs import RUN_FILES, prepare_run_folder, write_run

    matplotlib.use("Agg")  # files only; a window would need a screen
    console = make_console()
    pipeline = make_pipeline(
        arguments.network,
        hidden_layer_sizes=arguments.hidden_layer_sizes,
        learning_rate=arguments.learning_rate,
        batch_size=arguments.batch_size,
        epochs=arguments.epochs,
        random_state=arguments.random_state,
    )
    epochs = pipeline["classify"].epochs
    source, (X_train, y_train), (X_test, y_test) = load_train_test_pictures(arguments)
    suit_to_data(pipeline, source)
    folder = prepare_run_folder(arguments.out)
    tell_data(console, source, y_train, y_test)

    begin = time.perf_counter()
    with EpochProgress(console, epochs) as progress:
        pipeline.set_params(classify__callbacks=[progress]).fit(X_train, y_train)
    fit_seconds = time.perf_counter() - begin
    pipeline.set_params(classify__callbacks=None)

    train_loss, train_accuracy, _ = score(pipeline, X_train, y_train)
    test_loss, test_accuracy, y_proba = score(pipeline, X_test, y_test)
    metrics = {
        "network": arguments.network,
        "data": source,
        "n_train": len(X_train),
        "n_test": len(X_test),
        "n_parameters": pipeline["classify"].model_.count_params(),
        "epochs": epochs,
        "train_loss": train_loss,
        "train_accuracy": train_accuracy,
        "test_loss": test_loss,
        "test_accuracy": test_accuracy,
        "fit_seconds": fit_seconds,
    }
    write_run(
        folder,
        pipeline,
        metrics,
        X_test=X_test,
        y_test=y_test,
        y_proba=y_proba,
        random_state=arguments.random_state,
    )
    console.print(
        f"\n{metrics['n_parameters']:,} parameters, trained in {fit_seconds:.1f} s"
        f"\ntraining   loss {train_loss:.4f}   accuracy {train_accuracy:.4f}"
        f"\ntest       loss {test_loss:.4f}   accuracy {test_accuracy:.4f}"
        f"\n\n{folder} holds {', '.join(RUN_FILES)}"
    )
    return 0
