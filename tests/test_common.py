"""scikit-learn's own checks of an estimator."""

import keras
import pytest
from custom_estimators import BottleneckClassifier, ConvolutionalOnRowsClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcifar import (
    ConvolutionalClassifier,
    DenseClassifier,
    ImageFlattener,
    PixelScaler,
    ResidualClassifier,
    make_dense_pipeline,
)

WEIGHTS_NEED_FULL_BATCHES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "A list of repeated samples is drawn in other mini-batches than a list of weighted ones,"
        " and float32 rounds their sums differently: MLPClassifier with Adam fails it too."
        " Full batches in float64 pass, see test_check_in_float64."
    )
}
MEANS_ON_JAX_ARE_FLOAT32 = {
    "check_sample_weight_equivalence_on_dense_data": (
        "On JAX, Keras rounds means to float32 even in float64, and LayerNormalization takes means:"
        " keras.ops.mean errs by 3e-8 there, where the check compares with rtol=1e-7."
    )
}
MEANS_OF_BATCHES_COUNT_HEADS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "Batch normalization takes means over the samples of a batch, each of which counts once,"
        " whatever its weight in the loss is. Without it the check passes, see"
        " test_check_in_float64."
    )
}
# What scikit-learn itself expects of every Pipeline (utils/_test_common/instance_generator.py).
PIPELINES_FIT_THEIR_STEPS = {
    "check_estimators_overwrite_params": "A Pipeline changes the nested params of its steps.",
    "check_dont_overwrite_parameters": "A Pipeline changes the `steps` parameter in fit.",
}


@parametrize_with_checks([PixelScaler(), ImageFlattener()])
def test_check_transformer(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [DenseClassifier(learning_rate=0.01, epochs=20)],
    expected_failed_checks=lambda estimator: WEIGHTS_NEED_FULL_BATCHES,
)
def test_check_by_default(estimator, check):
    check(estimator)


@parametrize_with_checks(
    # Scaled pixels of the checks' data are within 0.02 of 0: more steps have to make up for it.
    [make_dense_pipeline(learning_rate=0.003, epochs=50, random_state=0)],
    expected_failed_checks=lambda estimator: PIPELINES_FIT_THEIR_STEPS,
)
def test_check_pipeline(estimator, check):
    check(estimator)


@parametrize_with_checks([ConvolutionalClassifier(), ResidualClassifier()])
def test_check_on_pictures(estimator, check):
    """The few checks that scikit-learn has for estimators that do not take rows."""
    check(estimator)


@parametrize_with_checks(
    [
        ConvolutionalOnRowsClassifier(
            filters=(8,),
            strides=(1,),
            hidden_layer_sizes=(16,),
            dropout=0.0,
            learning_rate=0.01,
            epochs=20,
        ),
    ],
    expected_failed_checks=lambda estimator: MEANS_OF_BATCHES_COUNT_HEADS,
)
def test_check_behind_a_step_that_makes_pictures_of_rows(estimator, check):
    check(estimator)


@pytest.mark.usefixtures("float64")
@parametrize_with_checks(
    [
        DenseClassifier(learning_rate=0.01, epochs=20, batch_size=1000),
        BottleneckClassifier(learning_rate=0.05, epochs=40, batch_size=1000),
        ConvolutionalOnRowsClassifier(
            filters=(8,),
            strides=(1,),
            hidden_layer_sizes=(),
            batch_normalization=False,
            learning_rate=0.02,
            epochs=20,
            batch_size=1000,
        ),
    ],
    expected_failed_checks=lambda estimator: (
        MEANS_ON_JAX_ARE_FLOAT32
        if keras.config.backend() == "jax" and isinstance(estimator, BottleneckClassifier)
        else {}
    ),
)
def test_check_in_float64(estimator, check):
    check(estimator)
