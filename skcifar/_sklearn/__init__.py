"""The one place that knows young and private names of scikit-learn."""
