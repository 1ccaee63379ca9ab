"""How `make docs` builds the site."""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util import logging

import mqlkit

sys.path.insert(0, str(Path(__file__).parent))
from check_commands import faults

project = "mqlkit"
author = "The mqlkit authors"
copyright = author  # noqa: A001 - Sphinx's name
version = release = mqlkit.__version__

extensions = ["myst_parser", "sphinx_copybutton", "sphinx.ext.autodoc", "numpydoc"]
numpydoc_show_class_members = False
myst_enable_extensions = ["fieldlist"]
myst_heading_anchors = 3
# The sample reports are made after the pages, by `make docs`.
myst_url_schemes = {
    "https": None,
    "gallery": {"url": "_static/gallery/{{path}}.html", "title": "{{path}}"},
}

html_theme = "pydata_sphinx_theme"
html_title = "mqlkit"
html_theme_options = {
    "navbar_center": [],
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_context = {"default_mode": "auto"}
templates_path = ["_templates"]
html_sidebars = {"**": ["all-pages.html"]}
html_show_sourcelink = False
html_copy_source = False

logger = logging.getLogger(__name__)


def check_commands(_: Sphinx, doctree: nodes.document) -> None:
    """Warn about unknown commands, options and make targets; warnings are errors here."""
    for kind in (nodes.literal, nodes.literal_block):
        for node in doctree.findall(kind):
            for fault in faults(node.astext()):
                logger.warning(fault, location=node, type="mqlkit")


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the check of commands, and the languages that Pygments lacks."""
    for language in ("csv", "crontab"):
        app.add_lexer(language, TextLexer)
    app.connect("doctree-read", check_commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
