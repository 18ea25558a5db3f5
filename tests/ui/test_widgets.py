"""Text from users in Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lossviz.ui.shared.widgets import KINDS, literal
from tests.ui.driver import plain


@given(st.text(alphabet=st.characters(exclude_characters="`")))
def test_literal_text_reads_as_it_was(text: str) -> None:
    """Law: without its backslashes it is the text."""
    assert plain(literal(text)) == text


@given(st.text(alphabet="![](){}<>&$:_*~#|`.\\x /"))
def test_literal_leaves_no_markup(text: str) -> None:
    """Every sign with a meaning stands behind a backslash, or in code of one name."""
    marks = iter(literal(text))
    for mark in marks:
        if mark == "\\":
            assert next(marks) in "\\`*_{}[]()#+-.!:$~|<>&"
        elif mark == "`":
            name = "".join(iter(lambda: next(marks), "`"))
            assert name == "~" or name[0] in "_x"
        else:
            assert mark in "x /\u2060"  # the last one keeps an address from becoming a link


def test_names_in_backticks_stay_code() -> None:
    assert literal("`targets.T` of `<b>`") == "`targets.T` of \\`\\<b\\>\\`"


@pytest.mark.parametrize("kind", KINDS)
def test_say_shows_the_sentence(kind: str) -> None:
    script = f"from lossviz.ui.shared.widgets import say\nsay({kind!r}, 'a <b> [x](http://y)')"
    app = AppTest.from_string(script, default_timeout=60).run()
    assert [plain(str(found.value)) for found in getattr(app, kind)] == ["a <b> [x](http://y)"]
