"""The candidates of the page Identify as cards: formula, the timesteps that it counts, the fix, what else to know."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.conventions import CONVENTIONS
from lossviz.digits import latex_number, number, number_text
from lossviz.figures import coefficient_map
from lossviz.identification import KINDS, Match
from lossviz.ui.session.link_checks import Links, is_flag
from lossviz.ui.shared.apply_convention import IN_USE, adoptable, apply_convention, is_applied
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width
from lossviz.ui.shared.widgets import escaped, literal, say

__all__ = ["LINKED", "cards_panel", "quotient"]

LINKED: Links = {"identify_rest": is_flag}

Options = Mapping[str, Any]
CHANCE = "So few digits were printed, for so many formulas, that this one may agree by accident."
EXACT = 1e-9
OPEN, FOLDED = 3, 12  # cards shown at once, and in the folded panel
HALF = 10  # timesteps: more of them take the whole width
COLOURS = {"convention": "blue", "bug": "red", "unit": "gray"}
NAMES = {row.code: row.name for row in CONVENTIONS}
ALL_POSITIONS = {row.code for row in CONVENTIONS if row.group == "positions"}
WIDTHS = {True: 455, False: 880}  # of the picture at 1280 × 800, until the browser has said its own


def cards_panel(analysis: Analysis, matches: Sequence[Match], options: Options, *, several: bool = False) -> None:
    """Draw the likeliest matches open, the others folded; what the first one does is the answer, and not said again.

    Args:
        analysis: of the batch.
        matches: what `identify` answered.
        options: what was said of the loop, for the reduction that a card offers.
        several: whether several numbers were printed, which no reduction of the app gives.
    """
    likely = [match for match in matches if not match.accidental][:OPEN] or list(matches[:1])
    for match in likely:
        _card(analysis, match, None if several else options, explained=match is matches[0])
    rest = [match for match in matches if not any(match is other for other in likely)]
    if not rest:
        return
    with st.expander(f"Also consistent with ({len(rest)})", key="identify_rest", on_change="rerun") as panel:
        if not panel.open:
            return
        for match in rest[:FOLDED]:
            _card(analysis, match, None if several else options)
        if len(rest) > FOLDED:
            codes = ", ".join(match.code for match in rest[FOLDED:])
            st.caption(f"And {len(rest) - FOLDED} more: {escaped(codes)}")


def _card(analysis: Analysis, match: Match, options: Options | None, *, explained: bool = False) -> None:
    with st.container(border=True, key=f"match_{match.rank}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"### {literal(match.title)} · {escaped(match.code)}", width="content", anchors=False)
            st.badge(KINDS[match.kind], color=COLOURS[match.kind])  # type: ignore[arg-type]
            if match.accidental:
                st.badge("Perhaps by chance", color="gray", help=CHANCE)
            st.caption(_values(match, several=options is None), width="content")
        if analysis.batch_loss.shape[1] > HALF:
            _words(analysis, match, explained=explained)
            _picture(analysis, match, half=False)
        else:
            left, right = st.columns([1, 1.1])
            with left:
                _words(analysis, match, explained=explained)
            with right:
                _picture(analysis, match, half=True)
        _fix(match)
        _notes(match)
        if options is not None:
            _adopt(match, options)


def quotient(analysis: Analysis, match: Match) -> tuple[float, float] | None:
    """Numerator and divisor of a match, where it is one sum over one divisor of the losses, or weighted losses, shown.

    >>> from lossviz import Batch, analyze, identify
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 4, 2)), targets=[[0, 1, 0, 1]], lengths=[3])
    >>> [round(part, 4) for part in quotient(analyze(batch), identify(batch, "0.51986")[0])]
    [2.0794, 4.0]
    """
    loss, counts = analysis.batch_loss, match.coefficients != 0
    if match.coefficients.shape != loss.shape or not counts.any():
        return None
    for weights in (np.ones_like(loss), analysis.weights):
        numerator = float((weights * loss)[counts].sum())
        divisors = weights[counts] / match.coefficients[counts]
        if np.isclose(divisors, divisors[0], rtol=EXACT).all() and np.isclose(
            numerator / divisors[0], match.value, rtol=EXACT
        ):
            return numerator, float(divisors[0])
    return None


def _with_numbers(formula: str, parts: tuple[float, float] | None) -> str:
    """The formula, and under it the same with this batch's numbers in it."""
    if parts is None:
        return formula
    top, under = map(latex_number, parts)
    fraction = "" if parts[1] == 1 else rf"\frac{{{top}}}{{{under}}} = "
    value = number(parts[0] / parts[1]).replace("−", "-")
    return rf"\begin{{aligned}}&{formula}\\[14pt]&= {fraction}\mathbf{{{value}}}\end{{aligned}}"


def _values(match: Match, *, several: bool) -> str:
    away = abs(match.difference)
    is_exact = away <= EXACT * abs(match.value) or not np.isfinite(match.value)
    if several:
        return escaped("exactly the printed numbers" if is_exact else f"at most {away:.1g} from the printed numbers")
    distance = "exactly the printed number" if is_exact else f"{away:.1g} from the printed number"
    return escaped(f"{number_text(match.value)}, {distance}")


def _words(analysis: Analysis, match: Match, *, explained: bool) -> None:
    if not explained:
        st.markdown(literal(match.explanation))
    if match.formula:
        st.latex(_with_numbers(match.formula, quotient(analysis, match)))


def _picture(analysis: Analysis, match: Match, *, half: bool) -> None:
    if match.coefficients.shape != analysis.batch_loss.shape:
        return
    key = f"counted_{match.rank}"
    figure = coefficient_map(
        analysis,
        coefficients=match.coefficients,
        cells=match.cells | _divides_by_all(match),
        theme=theme(),
        width=plot_width(key, WIDTHS[half]),
    )
    plot(figure, key=key, label=f"What {match.code} counts: {figure.layout.title.text}", selectable=False)


def _divides_by_all(match: Match) -> bool:
    """Whether its divisor counts every position, padding included."""
    return any(code == "PAD02" or code in ALL_POSITIONS for code in (match.code, *match.codes))


def _fix(match: Match) -> None:
    if not match.fix:
        return
    st.markdown("**What to write instead**" if match.kind == "bug" else "**If that is not what you want, write**")
    for tab, code in zip(st.tabs(list(match.fix)), match.fix.values(), strict=True):
        tab.code(code, language="python")


def _notes(match: Match) -> None:
    if match.aliases:
        named = [f"{code}, {NAMES[code]}" for code in match.aliases if code in NAMES]
        listed = escaped(", ".join(match.aliases))
        words = "\n".join(f"- {escaped(name)}" for name in named)
        st.caption(f"The same number on this batch: {listed}", help=words or None)
    if match.how_to_distinguish:
        say("caption", match.how_to_distinguish)


def _adopt(match: Match, options: Options) -> None:
    convention = adoptable(match.code)
    if convention is not None and is_applied(convention, options):
        st.caption(IN_USE)
    elif convention is not None:
        st.button(
            "Use this reduction",
            key=f"adopt_{match.rank}",
            help="Makes it the reduction of the whole app.",
            on_click=partial(apply_convention, convention, options),
        )
