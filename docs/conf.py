"""How Sphinx makes the reading edition. tools/build_site.py lays the pages beside this file before it calls Sphinx."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

project = "coursekit"
html_title = "coursekit: reading edition"
author = "the coursekit authors"
copyright = author
language = "en"
smartquotes = False  # messages are quoted as they are printed

extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # no widget is alive on a page, and the scripts would come from the network
nb_merge_streams = True
nb_remove_code_source = False
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "tools.glossary.slug"
suppress_warnings = ["mystnb.unknown_mime_type"]
exclude_patterns = ["static"]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = True
html_domain_indices = False
html_math_renderer = "mathml"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
python_maximum_signature_line_length = 70
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"


def write_math(translator, node: nodes.Element) -> None:
    """Writes a formula as MathML, which browsers draw by themselves."""
    is_block = isinstance(node, nodes.math_block)
    formula = tex2mathml(node.astext(), as_block=is_block)
    translator.body.append(f'<div class="formula">{formula}</div>' if is_block else formula)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (write_math, None), (write_math, None))
