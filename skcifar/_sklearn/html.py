"""What notebooks show of an estimator: scikit-learn's own page, links, and one table more.

scikit-learn has no public name for the part of the page that shows what was fitted.
"""

from html import escape

from sklearn.utils._repr_html.fitted_attributes import AttrsDict

DOCUMENTATION = "https://skcifar.readthedocs.io/en/stable"  # where the site is to be

_TABLE = """
<div class="estimator-table"><details><summary>{title}</summary>
<table class="parameters-table"><tbody>{rows}</tbody></table></details></div>
"""


class DocumentedMixin:
    """Lets scikit-learn link from an estimator of this package to its page in the API reference."""

    _doc_link_module = "skcifar"
    _doc_link_template = f"{DOCUMENTATION}/api/skcifar.{{estimator_name}}.html"


class TableInHTMLMixin:
    """Adds a table of one's own to what notebooks show of a fitted estimator.

    The estimator's method ``describe_for_notebooks`` returns its title and its rows, headers first.
    """

    def _get_fitted_attr_html(self, doc_link=""):
        attributes = super()._get_fitted_attr_html(doc_link)
        return _WithTable(attributes, *self.describe_for_notebooks())


class _WithTable(AttrsDict):
    def __init__(self, attributes, title, rows):
        super().__init__(
            fitted_attrs=attributes.data,
            estimator_class=attributes.estimator_class,
            doc_link=attributes.doc_link,
        )
        self.table = title, rows

    def _html_repr(self):
        title, (headers, *rows) = self.table
        lines = [_row("th", headers), *(_row("td", row, ' class="default"') for row in rows)]
        return super()._html_repr() + _TABLE.format(title=escape(title), rows="".join(lines))


def _row(cell, values, attribute=""):
    cells = "".join(f"<{cell}>{escape(str(value))}</{cell}>" for value in values)
    return f"<tr{attribute}>{cells}</tr>"
