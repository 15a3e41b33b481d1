"""Adam's step in one operation for each variable, where Keras takes twenty."""

import keras
import tensorflow as tf

# What Adam is without options that change its step.
_PLAIN = {
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "amsgrad": False,
}


def make_update(optimizer, variables):
    """Return a function of gradients that does what ``optimizer.apply`` does, but for rounding."""
    config = optimizer.get_config()
    is_plain = all(config.get(name) == value for name, value in _PLAIN.items())
    is_free = not any(variable.constraint for variable in variables)
    if not (type(optimizer) is keras.optimizers.Adam and is_plain and is_free):
        return lambda gradients: optimizer.apply(gradients, variables)
    iterations, learning_rate, *moments = optimizer.variables
    params = {"beta1": config["beta_1"], "beta2": config["beta_2"], "epsilon": config["epsilon"]}

    def numbers_of_step(dtype):
        step = tf.cast(iterations.value + 1, dtype)
        # Keras' cast, which rounds constants to float32 in float64 too
        beta_1, beta_2 = (keras.ops.cast(config[name], dtype) for name in ("beta_1", "beta_2"))
        rate = tf.cast(learning_rate.value, dtype)
        return {"lr": rate, "beta1_power": beta_1**step, "beta2_power": beta_2**step}

    def update(gradients):
        numbers = {v.dtype: numbers_of_step(v.dtype) for v in variables}
        for variable, momentum, velocity, gradient in zip(
            variables, moments[::2], moments[1::2], gradients, strict=True
        ):
            if config["weight_decay"]:
                rate = numbers[variable.dtype]["lr"]
                variable.assign(variable.value * (1 - rate * config["weight_decay"]))
            tf.raw_ops.ResourceApplyAdam(
                var=variable.value.handle,
                m=momentum.value.handle,
                v=velocity.value.handle,
                grad=tf.convert_to_tensor(gradient),
                **numbers[variable.dtype],
                **params,
            )
        iterations.assign(iterations + 1)

    return update
