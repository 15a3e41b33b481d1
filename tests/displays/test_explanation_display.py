"""Explanations of pictures of which it is known what decides."""

import numpy as np
import pytest
from given_axes import assert_drawn_in_place, assert_label_of_scale_is_whole
from matplotlib.colors import to_rgb
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skcifar import (
    DenseClassifier,
    ExplanationDisplay,
    ImageFlattener,
    ImageResizer,
    PixelScaler,
    make_dense_pipeline,
)
from skcifar.displays import RIGHT_COLOR, WRONG_COLOR

Y = np.arange(40) % 2
X = np.random.default_rng(0).integers(60, size=(40, 12, 16, 3), dtype=np.uint8)
X[Y == 1, :4, 12:] = 255  # a bright square at the top right decides
NAMES = np.array(["dark", "square"])


class KnowsSquare:
    """As sure of a square as the top right is bright."""

    classes_ = NAMES

    def __init__(self):
        self.most_at_once = 0

    def predict_proba(self, X):
        self.most_at_once = max(self.most_at_once, len(X))
        bright = np.asarray(X, float)[:, :4, 12:].mean(axis=(1, 2, 3)) / 255
        return np.column_stack([1 - bright, bright])


@pytest.fixture
def squares():
    return X[Y == 1][:4]


@pytest.fixture(scope="module")
def dense():
    pipeline = make_dense_pipeline(
        hidden_layer_sizes=(8,), learning_rate=0.01, epochs=20, random_state=0
    )
    return pipeline.fit(X, Y)


def place_of_maximum(values):
    return np.unravel_index(values.argmax(), values.shape)


def is_in_square(values):
    row, column = place_of_maximum(values)
    return row < 4 and column >= 12


def texts_of(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_occlusion_is_the_drop_in_probability(squares):
    model = KnowsSquare()
    display = ExplanationDisplay.from_estimator(model, squares[:1], patch_size=4)
    image = squares[0].astype(float)
    color = np.rint(image.mean(axis=(0, 1))).mean()
    # the corner is hidden by one patch only, which covers all of the square
    assert display.maps[0, 0, 15] == pytest.approx(1 - color / 255)
    assert display.maps[0, 8:, :8].max() == 0
    assert display.maps.shape == (1, 12, 16)


def test_occlusion_explains_any_classifier(squares):
    model = make_pipeline(ImageFlattener(), LogisticRegression(max_iter=50)).fit(X, NAMES[Y])
    display = ExplanationDisplay.from_estimator(model, squares)
    assert all(is_in_square(values) for values in display.maps)
    assert display.y_pred.tolist() == ["square"] * 4


@pytest.mark.parametrize("method", ["occlusion", "gradient"])
def test_networks_are_explained_by_what_decides(dense, squares, method):
    display = ExplanationDisplay.from_estimator(dense, squares, method=method)
    decides = np.zeros((12, 16), bool)
    decides[:4, 12:] = True
    assert display.maps[:, decides].mean() > 2 * display.maps[:, ~decides].mean()


def test_classifier_without_a_pipeline_is_explained(squares):
    classifier = DenseClassifier(hidden_layer_sizes=(), epochs=1, random_state=0)
    classifier.fit(X / np.float32(255), Y)
    display = ExplanationDisplay.from_estimator(
        classifier, squares / np.float32(255), method="gradient"
    )
    kernel = classifier.model_.get_weights()[0][:, display.y_pred[0]].reshape(12, 16, 3)
    np.testing.assert_allclose(display.maps[0], np.abs(kernel).max(axis=-1), rtol=1e-4)


def test_what_speaks_against_a_class_is_blue(squares):
    display = ExplanationDisplay.from_estimator(
        KnowsSquare(), squares[:1], label="dark", patch_size=4
    )
    assert display.maps.min() < -0.5
    colored = np.asarray(display.axes_[0, 1].images[0].get_array())
    np.testing.assert_allclose(colored[0, 15], to_rgb(RIGHT_COLOR), atol=0.01)


def test_what_speaks_for_a_class_is_orange_and_the_rest_pale(squares):
    display = ExplanationDisplay.from_estimator(KnowsSquare(), squares[:1], patch_size=4)
    colored = np.asarray(display.axes_[0, 1].images[0].get_array())
    np.testing.assert_allclose(colored[0, 15], to_rgb(WRONG_COLOR), atol=0.01)
    assert np.ptp(colored[11, 0]) == 0  # grey


def test_classes_and_probabilities_are_under_each_picture(squares):
    display = ExplanationDisplay.from_estimator(KnowsSquare(), squares[:2], y=["square", "dark"])
    assert texts_of(display.axes_[0, 0])[:2] == ["✓ square 1.00", "square 1.00"]
    assert texts_of(display.axes_[1, 0])[:2] == ["✗ square 1.00", "dark 0.00"]
    assert texts_of(display.axes_[0, 1]) == ["for square"]


def test_classes_that_nobody_knows_are_left_out(squares):
    display = ExplanationDisplay.from_estimator(KnowsSquare(), squares[:1])
    assert texts_of(display.axes_[0, 0])[0] == "square 1.00"


def test_scale_has_a_unit_and_is_symmetric(squares):
    display = ExplanationDisplay.from_estimator(KnowsSquare(), squares)
    bar = display.figure_.axes[-1]
    assert bar.get_ylabel() == "drop in probability\nwhile hidden"
    low, high = bar.get_ylim()
    assert high == -low > 0.1


@pytest.mark.parametrize("method", ["occlusion", "gradient", "grad-cam"])
def test_label_of_the_scale_is_whole_beside_one_row_of_wide_pictures(method):
    display = ExplanationDisplay(
        images=np.zeros((3, 8, 32)),
        maps=np.zeros((3, 8, 32)),
        method=method,
        y_pred=NAMES[[0, 1, 0]],
        probabilities=np.ones(3),
    ).plot()
    assert_label_of_scale_is_whole(display)


def test_small_changes_do_not_look_like_large_ones():
    images = np.zeros((1, 12, 16, 3), np.uint8)
    images[0, 0, 15] = 1  # which changes the probability by a 4080th
    display = ExplanationDisplay.from_estimator(KnowsSquare(), images, label="square")
    assert display.figure_.axes[-1].get_ylim() == (-0.01, 0.01)


def test_grey_pictures_are_explained():
    images = np.random.default_rng(0).random((2, 12, 16))

    class KnowsTop:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            top = X[:, :2].mean(axis=(1, 2))
            return np.column_stack([1 - top, top])

    display = ExplanationDisplay.from_estimator(KnowsTop(), images)
    assert display.maps.shape == (2, 12, 16)


def test_files_are_explained_as_the_network_gets_them(tmp_path, dense):
    from PIL import Image

    Image.fromarray(np.kron(X[1], np.ones((4, 4, 1), np.uint8))).save(tmp_path / "square.png")
    display = ExplanationDisplay.from_estimator(dense, [tmp_path / "square.png"])
    assert isinstance(dense[0], ImageResizer)
    assert display.images.shape == (1, 12, 16, 3)


def test_copies_in_memory_are_bounded(monkeypatch, squares):
    from skcifar.displays import _explanation

    monkeypatch.setattr(_explanation, "MOST_BYTES", 5 * squares[0].nbytes)
    model = KnowsSquare()
    few = ExplanationDisplay.from_estimator(model, squares)
    assert model.most_at_once == 5
    monkeypatch.undo()
    all_at_once = ExplanationDisplay.from_estimator(model, squares)
    np.testing.assert_array_equal(few.maps, all_at_once.maps)


def test_no_more_pictures_are_explained_than_asked_for(squares):
    display = ExplanationDisplay.from_estimator(KnowsSquare(), squares, n_images=2)
    assert display.axes_.shape == (2, 2)


@pytest.mark.parametrize("layout", ["constrained", None])
def test_explanations_take_the_place_of_given_axes(squares, layout):
    def draw(axes):
        return ExplanationDisplay.from_estimator(
            KnowsSquare(), squares, y=["square"] * 4, n_columns=2, ax=axes
        )

    assert_drawn_in_place(draw, layout=layout)


@pytest.mark.parametrize("method", ["gradient", "grad-cam"])
def test_method_that_needs_a_network_is_refused_without_one(squares, method):
    with pytest.raises(ValueError, match=r"KnowsSquare has no model_\. Use method='occlusion'"):
        ExplanationDisplay.from_estimator(KnowsSquare(), squares, method=method)


def test_grad_cam_of_a_dense_network_is_refused(dense, squares):
    with pytest.raises(ValueError, match="this network has none"):
        ExplanationDisplay.from_estimator(dense, squares, method="grad-cam")


def test_unknown_class_is_refused(squares):
    with pytest.raises(ValueError, match=r"classes cat are not among .* dark, square"):
        ExplanationDisplay.from_estimator(KnowsSquare(), squares, label="cat")


def test_unknown_method_is_refused(squares):
    with pytest.raises(ValueError, match="'method' parameter of"):
        ExplanationDisplay.from_estimator(KnowsSquare(), squares, method="shap")


def test_estimator_without_probabilities_is_refused(squares):
    with pytest.raises(ValueError, match="PixelScaler has no predict_proba"):
        ExplanationDisplay.from_estimator(PixelScaler(), squares)
