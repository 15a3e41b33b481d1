"""Compiled training loops: the one place that knows TensorFlow."""
