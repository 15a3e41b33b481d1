"""Training and prediction that TensorFlow compiles."""
