"""Documents as data, and their rendering to one HTML file or to plain data."""

from statera.report.html import render_html
from statera.report.json import document_to_dict
from statera.report.write import write_text_atomically

__all__ = ["document_to_dict", "render_html", "write_text_atomically"]
