"""How the site is built: ``python -m sphinx -W -b html docs docs/_build``. It needs no network."""

import importlib
import itertools
import os
import zlib
from pathlib import Path

from sklearn.utils.discovery import all_displays, all_estimators, all_functions

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what TensorFlow says when it starts

import skcifar

HERE = Path(__file__).parent

project = "skcifar"
author = "the skcifar developers"
copyright = f"2026, {author}"  # noqa: A001 (Sphinx' name)
version = release = skcifar.__version__

extensions = [
    "numpydoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
nitpicky = True
toc_object_entries_show_parents = "hide"
default_role = "literal"  # as in scikit-learn's docstrings, some of which are inherited

html_theme = "pydata_sphinx_theme"
html_title = "skcifar"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}
html_sidebars = {"lessons": [], "troubleshooting": []}

# -- API reference: a page for each name in skcifar._NAMES, and for a few that have no place there -

MORE_NAMES = {
    "datasets": ("read_picture", "DatasetError", "DownloadError"),
    "persistence": ("ExportError", "ModelFileError"),
}


def api_page():
    lines = [
        "API reference",
        "=============",
        "",
        "Names are imported from ``skcifar``; those that are written with a module, from there.",
    ]
    for module, names in skcifar._NAMES.items():
        text = importlib.import_module(f"skcifar.{module}").__doc__
        more = [f"{module}.{name}" for name in MORE_NAMES.get(module, ())]
        lines += ["", module, "-" * len(module), "", text.partition(". ")[0].strip(".\n") + ".", ""]
        lines += [
            ".. currentmodule:: skcifar",
            "",
            ".. autosummary::",
            "   :toctree:",
            "   :nosignatures:",
            "",
        ]
        lines += [f"   {name}" for name in (*names, *more)]
    return "\n".join(lines) + "\n"


(HERE / "api").mkdir(exist_ok=True)
if not (index := HERE / "api" / "index.rst").exists() or index.read_text() != api_page():
    index.write_text(api_page())

autosummary_generate = True
autodoc_typehints = "none"  # docstrings say more
numpydoc_show_class_members = False  # the template does
numpydoc_validation_checks = {
    "all",
    "ES01",  # a short summary may say everything
    "EX01",  # methods are shown in the example of their class
    "GL02",  # docstrings that share parameters are put together
    "PR03",  # own parameters come before those that are shared
    "RT02",  # results have names, as in scikit-learn
    "SA01",  # not everything has a relative
}
numpydoc_validation_exclude = {r"\.(get|set)_\w+$"}  # scikit-learn's

# -- Gallery ---------------------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    "ignore_pattern": r"out_of_core\.py",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "reference_url": {"skcifar": None},
    "doc_module": ("skcifar",),
    "write_computation_times": False,
    "backreferences_dir": "api/backreferences",
}

# -- Links to other projects: scikit-learn's classes and functions, and what links.txt lists. Lists
# from the network are not needed so, and the site is the same everywhere. -------------------------


def names_of_scikit_learn():
    for name, item in (*all_estimators(), *all_displays(), *all_functions()):
        public = itertools.takewhile(lambda p: not p.startswith("_"), item.__module__.split("."))
        name = ".".join((*public, name))
        role = "py:class" if isinstance(item, type) else "py:function"
        yield f"{role} {name} scikit-learn.org/stable/modules/generated/{name}.html"


def write_inventory(path):
    """Write lines of role, name and page as the inventory that intersphinx reads."""
    entries = []
    for line in (*names_of_scikit_learn(), *(HERE / "links.txt").read_text().splitlines()):
        role, rest = line.split(maxsplit=1)
        target, page = rest.rsplit(maxsplit=1)
        entries.append(f"{target} {role} 1 {page} -")
    head = "# Sphinx inventory version 2\n# Project: links\n# Version: \n# Compressed using zlib.\n"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(head.encode() + zlib.compress("\n".join(entries).encode()))
    return str(path)


intersphinx_mapping = {"links": ("https://", write_inventory(HERE / "_build" / "links.inv"))}
