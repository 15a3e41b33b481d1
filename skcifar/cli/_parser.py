"""The ``skcifar`` command: what may be typed, and how a mistake is told."""

import argparse

from .. import __version__
from . import _commands as commands

NETWORKS = ("dense", "convolutional", "residual")  # the keys of pipelines.PIPELINES


def main(argv=None):
    """Run the command.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments, by default those of the process.

    Returns
    -------
    exit_code : int
        0 when all was done, 2 after a mistake of the user's, 130 when interrupted.
    """
    arguments = _build_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError, MemoryError) as error:
        commands.complain(error)
        return 2
    except KeyboardInterrupt as interrupt:
        commands.complain(str(interrupt) or "interrupted")
        return 130


class _OneLineParser(argparse.ArgumentParser):
    """Tells a mistake in one line instead of the whole usage."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _build_parser():
    parser = _OneLineParser(
        prog="skcifar",
        description="Train a neural network on pictures, score it, and ask it about new ones.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)

    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        type=_source,
        default="auto",
        metavar="auto|cifar10|digits|FOLDER",
        help="pictures: CIFAR-10, scikit-learn's handwritten digits, or a folder of your own that"
        " holds one folder a class (or train and test, each of that form); a fifth of a folder"
        " is kept for testing (default: %(default)s)",
    )
    data.add_argument(
        "--data-home",
        metavar="DIR",
        help="where CIFAR-10 is or is to be kept (default: scikit-learn's data folder)",
    )
    data.add_argument(
        "--limit",
        type=_positive_int,
        metavar="N",
        help="use no more than N training and N test pictures (default: all)",
    )

    train = subparsers.add_parser(
        "train",
        parents=[data],
        help="train a network and write the model, its numbers and its pictures",
        description="Train a network. auto, the default, is CIFAR-10 where it is at hand or can be"
        " downloaded (170 MB), otherwise the digits.",
    )
    train.add_argument(
        "--network",
        choices=NETWORKS,
        default="dense",
        help="dense is the article's; convolutional is its sequel's; residual is the most accurate"
        " and takes the longest (default: %(default)s)",
    )
    _add_network_epochs(train)
    train.add_argument(
        "--hidden-layer-sizes",
        type=_sizes,
        metavar="N,N",
        help="units of each dense hidden layer (default: 200,150; convolutional: 128)",
    )
    train.add_argument(
        "--learning-rate",
        type=_positive_float,
        metavar="R",
        help="step size of the Adam optimizer, the largest one of residual (default: 0.0005;"
        " residual: 0.02)",
    )
    train.add_argument(
        "--batch-size",
        type=_positive_int,
        metavar="N",
        help="pictures a step (default: 32; residual: 256)",
    )
    _add_random_state(train)
    train.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="file to write after each epoch, from which --resume goes on (default: none)",
    )
    train.add_argument(
        "--resume",
        action="store_true",
        help="go on from --checkpoint FILE if it is there; the same command ends with the same"
        " network as if it had never been stopped",
    )
    train.add_argument(
        "--out",
        default="skcifar-run",
        metavar="DIR",
        help="folder to write to; what an earlier run left there is replaced"
        " (default: %(default)s)",
    )
    train.set_defaults(run=commands.train)

    search = subparsers.add_parser(
        "search",
        parents=[data],
        help="search for good parameters of the dense network, on this machine or on many",
        description="Search for good parameters of the dense network by cross-validation. A search"
        " that was interrupted goes on where it was, when the same command is given again.",
    )
    grid = search.add_mutually_exclusive_group()
    grid.add_argument(
        "--grid",
        metavar="FILE",
        help="TOML file of lists of values by the name of a DenseClassifier's parameter, such as"
        " dropout = [0.0, 0.2]; several grids are tables [[grid]]",
    )
    grid.add_argument(
        "--preset",
        choices=("quick", "dense"),
        help="grid that is there already: a first look, or large networks (default: quick)",
    )
    _add_epochs(search)
    search.add_argument(
        "--cv",
        type=_int_from(2, 2**31 - 1),
        default=3,
        metavar="N",
        help="folds, each left out once for validation (default: %(default)s)",
    )
    search.add_argument(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="fits at the same time on this machine, -1 for one a core (default: %(default)s)",
    )
    search.add_argument(
        "--halving",
        action="store_true",
        help="begin with few epochs, and give more to the best third only, round by round",
    )
    search.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="have the fits done by the workers of a Dask scheduler, such as tcp://10.0.0.1:8786",
    )
    _add_random_state(search)
    search.add_argument(
        "--out",
        default="skcifar-search",
        metavar="DIR",
        help="folder to write to, and to go on in (default: %(default)s)",
    )
    search.set_defaults(run=commands.search)

    compare = subparsers.add_parser(
        "compare",
        parents=[data],
        help="train networks on the same pictures, and tell which one is better",
        description="Train networks on the same pictures, score them and saved models on the same"
        " test pictures, and tell by McNemar's test which differences are more than chance. auto,"
        " the default, is the data set that has the saved models' classes, where there are any.",
    )
    compare.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        help="saved models to compare as they are, not trained any further",
    )
    compare.add_argument(
        "--networks",
        default="dense,convolutional",
        metavar="NAME,NAME",
        help="networks to train: dense, convolutional and residual, or none (default: %(default)s)",
    )
    compare.add_argument(
        "--epochs",
        type=_positive_int,
        metavar="N",
        help="passes over the pictures (default: each network's own number)",
    )
    _add_random_state(compare)
    compare.add_argument(
        "--out",
        default="skcifar-compare",
        metavar="DIR",
        help="folder to write to; what an earlier comparison left there is replaced"
        " (default: %(default)s)",
    )
    compare.set_defaults(run=commands.compare)

    evaluate = subparsers.add_parser(
        "evaluate",
        parents=[data],
        help="score a saved model",
        description="Score a saved model. auto, the default, is the data set that has the model's"
        " classes.",
    )
    evaluate.add_argument("model", metavar="MODEL", help="a file that skcifar train wrote")
    evaluate.add_argument(
        "--subset",
        choices=("train", "test", "all"),
        default="test",
        help="which of the pictures; test are those of a folder that training left out, as long as"
        " its files stay the same; all is right for a folder that was not trained on"
        " (default: %(default)s)",
    )
    evaluate.set_defaults(run=commands.evaluate)

    predict = subparsers.add_parser(
        "predict", help="tell what pictures show", description="Tell what pictures show."
    )
    predict.add_argument("model", metavar="MODEL", help="a file that skcifar train wrote")
    predict.add_argument(
        "pictures",
        metavar="PICTURE",
        nargs="+",
        help="picture files (JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF or PPM)",
    )
    predict.add_argument("--json", action="store_true", help="print JSON")
    predict.set_defaults(run=commands.predict)

    export = subparsers.add_parser(
        "export",
        help="write a saved model as ONNX, for programs without Python or Keras",
        description="Write a saved model as ONNX, from the pixels to the label: pictures go in, and"
        " labels and probabilities come out. Needs the onnx library.",
    )
    export.add_argument("model", metavar="MODEL", help="a file that skcifar train wrote")
    export.add_argument("file", metavar="FILE", help="file to write, usually named *.onnx")
    export.set_defaults(run=commands.export)

    report = subparsers.add_parser(
        "report",
        help="write one page that shows what a run left",
        description="Write one HTML page of the numbers, pictures and parameters in a folder. It"
        " holds all that it shows, so it can be sent, and read without a network.",
    )
    report.add_argument(
        "folder",
        metavar="RUN_DIR",
        help="a folder that skcifar train, skcifar compare or skcifar search wrote",
    )
    report.add_argument(
        "--out", metavar="FILE", help="page to write (default: report.html in RUN_DIR)"
    )
    report.set_defaults(run=commands.report)
    return parser


def _add_epochs(parser):
    parser.add_argument(
        "--epochs",
        type=_positive_int,
        default=10,
        metavar="N",
        help="passes over the pictures (default: %(default)s)",
    )


def _add_network_epochs(parser):
    parser.add_argument(
        "--epochs",
        type=_positive_int,
        metavar="N",
        help="passes over the pictures (default: 10; residual: 12)",
    )


def _add_random_state(parser):
    parser.add_argument(
        "--random-state",
        type=_seed,
        default=0,
        metavar="N",
        help="seed; the same gives the same network (default: %(default)s)",
    )


def _source(text):
    if not text:
        raise argparse.ArgumentTypeError("must be auto, cifar10, digits or a folder, got nothing")
    return text


def _int_from(lowest, highest):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(
                f"must be an int from {lowest} to {highest}, got {text!r}"
            )
        return value

    return parse


_positive_int = _int_from(1, 2**31 - 1)  # which is as far as TensorFlow counts
_seed = _int_from(0, 2**32 - 1)


def _jobs(text):
    return -1 if text == "-1" else _positive_int(text)


def _positive_float(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return value


def _sizes(text):
    try:
        return tuple(_positive_int(size) for size in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"must be ints of at least 1 with commas between, such as 200,150, got {text!r}"
        ) from None
