"""The report of a trial: for programs as JSON, to paste as Markdown, to read as one file of HTML."""

from advisor.trials.report.markdown import to_markdown
from advisor.trials.report.page import to_html
from advisor.trials.report.records import from_json, to_json

__all__ = ["from_json", "to_html", "to_json", "to_markdown"]
