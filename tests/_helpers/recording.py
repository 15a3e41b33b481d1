"""A callback of scikit-learn that keeps what it receives."""


class Recorder:
    """Keeps what each task receives; requests to stop after ``n_epochs``."""

    def __init__(self, n_epochs=None):
        self.n_epochs = n_epochs
        self.begun = []
        self.ended = []

    def setup(self, estimator, context):
        self.begun.append("setup")

    def teardown(self, estimator, context):
        self.ended.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.begun.append(context.task_name)
        self.X, self.y = X, y

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        self.ended.append(context.task_name)
        self.metadata = metadata
        if context.task_name == "epoch":
            self.fitted = [*getattr(self, "fitted", []), fitted_estimator]
            return len(self.fitted) == self.n_epochs
        return None
