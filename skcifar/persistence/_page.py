"""HTML files: a fitted pipeline as a page that classifies in any browser."""

import base64
import copy
import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image
from sklearn.metrics import accuracy_score
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length

from .._sklearn.validation import StrOptions, validate_params
from ..files._pages import check_page_name, png_uri, read_template, write_page
from ..preprocessing import ImageResizer
from ._graph import describe, steps_of
from ._graph_layers import ExportError

FOLDER = Path(__file__).parent / "page"
SCRIPTS = ("interpreter.js", "pictures.js", "page.js")
N_EXAMPLES = 10

RESIZED = {
    "crop": "the middle of others is cut out",
    "pad": "others get black margins",
    "stretch": "others are stretched",
}


@validate_params(
    {
        "path": [str, os.PathLike],
        "X": ["array-like", None],
        "y": ["array-like", None],
        "title": [str],
        "precision": [StrOptions({"float16", "float32"})],
    },
    prefer_skip_nested_validation=True,
)
def export_html(
    pipeline: Pipeline,
    path: str | os.PathLike,
    *,
    X: ArrayLike | Sequence | None = None,
    y: ArrayLike | None = None,
    title: str = "What does this picture show?",
    precision: str = "float32",
) -> float | None:
    """Write a fitted pipeline as one HTML file that classifies pictures in any browser.

    The page needs no server and no network, and sends nothing. It takes a picture that is chosen,
    dropped, pasted or taken with a phone's camera, resizes it as the pipeline does, and shows the
    probabilities of the classes. Phones often refuse to open local files: put the page on any web
    server for them.

    Parameters
    ----------
    pipeline : Pipeline
        A fitted pipeline whose steps are from this package and take pictures in grey or in colour
        with pixels from 0 to 255. The network may have any layers that :func:`export_onnx` takes.
        ``n_views`` is ignored: the page predicts one view of a picture.

    path : str or path-like
        The file to write, named ``*.html``. An existing file is replaced.

    X : array-like, default=None
        Test pictures, as the pipeline takes them. Ten of them, spread evenly, are shown on the
        page.

    y : array-like of shape (n_samples,), default=None
        Their classes. The page then says how many of them it gets right.

    title : str, default="What does this picture show?"
        The heading of the page.

    precision : {"float32", "float16"}, default="float32"
        How the weights are stored. With "float16" they take half the space, and have three decimal
        digits; the accuracy on the page is theirs.

    Returns
    -------
    accuracy : float or None
        Share of the test pictures that the network on the page gets right. None without ``y``.

    Raises
    ------
    ExportError
        If a step, a layer or the labels cannot be exported, or if the pipeline takes samples other
        than pictures of bytes. It is a ValueError.

    NotFittedError
        If the pipeline is not fitted.

    See Also
    --------
    export_onnx : Writes a file for programs that run many pictures at once.

    Notes
    -----
    Probabilities are those of ``predict_proba`` with one view, to 1e-5 in float32. For photographs,
    the answers may differ if two classes are almost equally probable, since a browser decodes a
    picture slightly differently from Pillow: pixels of 32 by 32 differ by 0.2 of 255 on average. A
    file takes 40 kB more than the test pictures and the weights in base64, which takes four bytes
    for three.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skcifar import export_html, load_digit_images, make_dense_pipeline
    >>> X, y = load_digit_images(return_X_y=True)
    >>> pipeline = make_dense_pipeline(hidden_layer_sizes=(8,), epochs=1).fit(X, y)
    >>> X, y = load_digit_images(subset="test", return_X_y=True)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "digits.html"
    ...     accuracy = export_html(pipeline, path, X=X, y=y)
    ...     path.stat().st_size < 300_000
    True
    """
    path = Path(path)
    check_page_name(path)
    if y is not None and X is None:
        raise ValueError("y is given without X. Give the pictures that it belongs to, or neither.")
    steps_of(pipeline)  # what cannot be exported may not be copied either
    shown = copy.deepcopy(pipeline)
    steps, classifier = steps_of(shown)
    if hasattr(classifier, "n_views"):
        classifier.n_views = 1
    if precision == "float16":
        _round_weights(classifier.model_)
    described = describe(steps, classifier)
    _check_takes_pictures(described)

    page = _contents(described, classifier) | {"title": _printable(title), "examples": []}
    accuracy = None
    if X is not None:
        if isinstance(steps[0], ImageResizer):
            X = steps[0].transform(X)
        X = np.asarray(X)
        check_consistent_length(X, y)
        page["examples"] = _examples(X, y)
        if y is not None:
            y_pred = shown.predict(X)
            accuracy = float(accuracy_score(y, y_pred))
            n_right = int(accuracy_score(y, y_pred, normalize=False))
            page["facts"]["Right on"] = (
                f"{n_right:,} of {len(X):,} test pictures ({100 * accuracy:.1f} %)"
            )
    page["facts"]["Weights"] = f"{classifier.model_.count_params():,} in {precision}"
    write_page(path, _render(page))
    return accuracy


def _round_weights(network):
    """Round matrices and filters to what float16 holds; the few numbers of vectors stay."""
    for variable in network.variables:
        if len(variable.shape) > 1:
            with np.errstate(over="ignore"):
                rounded = keras.ops.convert_to_numpy(variable).astype(np.float16)
            if not np.isfinite(rounded).all():
                raise ExportError(
                    f"{variable.path} has weights that are too large for float16. Use"
                    " precision='float32'."
                )
            variable.assign(rounded.astype(np.float32))


def _check_takes_pictures(described):
    shape = described.shape
    is_picture = len(shape) in (2, 3) and shape[2:] in ((), (1,), (3,))
    if not is_picture or described.dtype != np.uint8:
        raise ExportError(
            "A page gives its network pictures with pixels from 0 to 255, but this one takes"
            f" samples of shape {shape}, {np.dtype(described.dtype).name}. Train a Pipeline with a"
            " PixelScaler (max_value=255) on pictures of shape (height, width), or"
            " (height, width, n_channels) with 1 or 3 channels."
        )


def _examples(X, y):
    """Return some pictures for the page, spread over all, with what is said of each."""
    rows = np.unique(np.linspace(0, len(X) - 1, N_EXAMPLES).astype(int))
    examples = []
    for number, row in enumerate(rows, start=1):
        caption = f"Test picture {number}"
        if y is not None:
            caption += f", whose class is {_printable(str(np.asarray(y)[row]))}"
        examples.append({"uri": _uri(X[row]), "caption": f"{caption}."})
    return examples


def _uri(pixels):
    if pixels.dtype != np.uint8:
        raise ValueError(f"X must hold pictures of dtype uint8, got {pixels.dtype}. Convert it.")
    png = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels).save(png, "PNG")
    return png_uri(png.getvalue())


def _contents(described, classifier):
    height, width, *n_channels = described.shape
    resize = described.resizing.get("resize", "crop")
    constants, weights = _packed(described.graph.constants)
    classes = [_printable(str(label)) for label in described.classes]
    size = f"{width} by {height} pixels, in {'colour' if n_channels == [3] else 'grey'}"
    return {
        "network": {
            "input": {"name": described.name, "shape": described.shape, "resize": resize},
            "classes": classes,
            "constants": constants,
            "nodes": [
                [operator, taken, given, {k: _in_float32(v) for k, v in attributes.items()}]
                for operator, taken, given, attributes in described.graph.nodes
            ],
        },
        "weights": base64.b64encode(weights).decode(),
        "classes": classes,
        "size": size,
        "facts": {
            "Network": type(classifier).__name__,
            "Pictures": f"{size}; {RESIZED[resize]}",
        },
    }


def _in_float32(value):
    """Return an attribute as JSON has it; a float is what it is among numbers in float32."""
    return float(np.float32(value)) if isinstance(value, float) else np.asarray(value).tolist()


def _packed(constants):
    """Describe the constants of a graph, and put most of their numbers into one piece."""
    table, packed = {}, bytearray()
    for name, value in constants.items():
        table[name] = {"shape": value.shape}
        if value.dtype.kind in "iu":
            table[name]["values"] = value.ravel().tolist()
            continue
        with np.errstate(over="ignore"):
            half = value.astype("<f2")
        # what float16 holds as it is takes half the space
        kept = half if np.array_equal(half, value) else value.astype("<f4")
        table[name] |= {"type": kept.dtype.name, "offset": len(packed)}
        packed += kept.tobytes()
    return table, packed


def _printable(text):
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _render(page):
    scripts = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    script = "".join(['"use strict";\n', *scripts])
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    page |= {"script": script, "script_digest": _digest(script)}
    page |= {"style": style, "style_digest": _digest(style)}
    return read_template(FOLDER / "page.html.jinja").render(page)


def _digest(text):
    """Name a script or a style as a content security policy does."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
