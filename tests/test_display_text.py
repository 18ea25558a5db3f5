"""Text that came from files, made safe to print."""

import pytest

from lossviz.display_text import escaped, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain: a::b", "plain: a::b"),
        ("::stop-commands::x", "\\x3a:stop-commands::x"),
        ("moved by wrapping ::error::x", "moved by wrapping \\x3a:error::x"),
        ("a ##vso[task.complete]", "a #\\x23vso[task.complete]"),
        ("##[error]x", "#\\x23[error]x"),
        ("\x1b]0;title\x07\n", "\\x1b]0;title\\x07\\n"),
    ],
)
def test_printable_disarms_terminals_and_logs(text, shown):
    assert printable(text) == shown


def test_text_is_cut_however_long_its_escapes_are():
    assert escaped("y" * 300) == "y" * 199 + "…"
    assert len(printable("\U000e0001" * 300)) == 400
