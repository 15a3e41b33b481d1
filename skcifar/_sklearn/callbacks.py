"""scikit-learn's own callbacks: the one module that knows ``sklearn.callback``.

That interface is young and may change. What else the package needs of it is handed on from here.
"""

from sklearn.callback import CallbackSupportMixin, with_callbacks

__all__ = ["CallbackSupportMixin", "FitTask", "with_callbacks"]


class FitTask:
    """``fit`` as a task that scikit-learn's callbacks see, made of tasks one by one."""

    def __init__(self, estimator, *, X, y, metadata=None, n_subtasks=0):
        self.reported = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        # scikit-learn documents this method for the classes of others, in spite of its name
        self.whole = estimator._init_callback_context(max_subtasks=n_subtasks)
        self.whole.call_on_fit_task_begin(**self.reported)

    def begin_subtask(self, name):
        """Report that a task begins."""
        self.part = self.whole.subcontext(task_name=name)
        self.part.call_on_fit_task_begin(**self.reported)

    def end_subtask(self, fitted_attributes):
        """Report that the task is over."""
        return self.part.call_on_fit_task_end(
            **self.reported, reconstruction_attributes=fitted_attributes
        )

    def end(self):
        """Report that ``fit`` is over."""
        self.whole.call_on_fit_task_end(**self.reported)
