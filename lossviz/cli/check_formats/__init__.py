"""What `lossviz check` reports about a file, and its output formats: text, JSON, SARIF, GitHub annotations."""

from lossviz.cli.check_formats._checked import CLEAN, COULD_NOT_RUN, FOUND, Checked, checked, count_text, worst_status
from lossviz.cli.check_formats._github import as_github
from lossviz.cli.check_formats._json import as_json
from lossviz.cli.check_formats._sarif import as_sarif
from lossviz.cli.check_formats._text import as_text

__all__ = [
    "CLEAN",
    "COULD_NOT_RUN",
    "FOUND",
    "Checked",
    "as_github",
    "as_json",
    "as_sarif",
    "as_text",
    "checked",
    "count_text",
    "worst_status",
]
