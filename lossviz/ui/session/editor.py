"""Editors: widgets that show something kept elsewhere, and change it only by what is typed into them.

A browser answers late, repeats what it was told, and answers for widgets that the page no longer draws. So every
drawing of an editor carries its target, the entry's value at that moment, and the value that the browser was given;
its key is never used for another drawing. What comes back is then one of three things:

- an *echo*, the value that the browser has had all along: it edits nothing;
- *typed*, while the entry is still what it was when it was drawn: an edit of that entry, whatever is selected now;
- *stale*, typed on top of an entry that has changed since: it edits nothing, and the page says so.

Why, and what was measured: docs/decisions/0019-an-edit-names-its-target.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Editor", "Editors", "is_same"]


@dataclass(eq=False)
class Editor:
    """One drawing of a widget, with what it edits.

    Attributes:
        key: the widget's key in Streamlit.
        target: whose entries are edited: a `Source`; for a choice, what its words depend on.
        held: the value of each entry in the target when it was drawn, or after the last edit from here.
        shown: the value of each entry in the browser: the one it was given, then the one that was typed last.
    """

    key: str
    target: Any
    held: dict[Any, Any]
    shown: dict[Any, Any]

    def is_typed(self, entry: Any, value: Any) -> bool:
        """Whether the browser's value is new, not an echo; from now on it is the value that the browser shows.

        >>> editor = Editors().draw("target", None, {(0, 2): 5})
        >>> [editor.is_typed((0, 2), value) for value in (5, 7, 7, 5)]
        [False, True, False, True]
        """
        if is_same(self.shown.get(entry), value):
            return False
        self.shown[entry] = value
        return True


@dataclass(eq=False)
class Editors:
    """The editors on the page, by name, and how many were ever drawn."""

    drawn: dict[str, Editor] = field(default_factory=dict)
    count: int = 0

    def draw(self, name: str, target: Any, held: Mapping[Any, Any], shown: Mapping[Any, Any] | None = None) -> Editor:
        """Return the editor to draw: the last one of this name while only its own edits have changed the entries.

        Otherwise a new one, under a new key. Streamlit can also *tell* a widget that exists another value, but the
        browser may report the old one afterwards, and what is being typed there is lost.

        Args:
            name: of the editor; one editor of a name is on the page.
            target: whose entries they are.
            held: the value of each entry now.
            shown: what to show where it is not what is held.

        >>> editors = Editors()
        >>> first, again = (editors.draw("target", None, {(0, 2): 5}) for _ in range(2))
        >>> first is again, editors.draw("target", None, {(0, 2): 6}).key
        (True, 'target:2')
        """
        last = self.drawn.get(name)
        if last is None or last.target != target or not _all_same(last.held, held):
            self.count += 1
            last = Editor(f"{name}:{self.count}", target, dict(held), dict(held if shown is None else shown))
            self.drawn[name] = last
        return last

    def renew(self, editor: Editor) -> None:
        """Redraw it next time with the current values: what was typed can't be an edit."""
        name = editor.key.rpartition(":")[0]
        if self.drawn.get(name) is editor:
            del self.drawn[name]


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; NaN is itself.

    >>> is_same(float("nan"), float("nan")), is_same(1, 1.0), is_same(None, 0)
    (True, True, False)
    """
    return bool(one == other) or (one != one and other != other)


def _all_same(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    return one.keys() == other.keys() and all(is_same(one[entry], other[entry]) for entry in one)
