"""Compiling, training and predicting, whatever backend Keras has."""
