"""One convention in detail: its formula with the batch's numbers, who prints it, its laws, and to use it."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from lossviz.conventions import LAWS, Convention, convention_coded
from lossviz.digits import latex_number, number
from lossviz.ui.session.state import State, write_widget
from lossviz.ui.shared.apply_convention import IN_USE, apply_convention, is_applied
from lossviz.ui.shared.loop_options import CONVENTION_OPTIONS
from lossviz.ui.shared.selectbox import select
from lossviz.ui.shared.widgets import escaped, literal

__all__ = ["IN_WORDS", "WHY_NOT", "convention_card", "formula"]

IN_WORDS = {
    "unchanged_by_extra_padding": ("Padding does not fool it", "More padding changes it"),
    "unchanged_by_reordering_rows": (
        "The order of the sequences does not matter",
        "The order of the sequences matters",
    ),
    "unchanged_by_scaling_weights": ("Scaling the weights does not change it", "Scaling the weights changes it"),
    "unchanged_by_splitting": (
        "Even micro-batches average to it",
        "Micro-batches do not average to it",
    ),
    "additive": ("Parts of a batch add up to it", "Parts of a batch do not add up to it"),
    "finite_when_all_masked": ("A finite number where nothing counts", "NaN where nothing counts"),
}
"""Each of `LAWS` where it holds and where it does not."""

WHY_NOT = "The app has no reduction for it: it is not a sum of the mask's losses over one divisor."
SAME = 1e-9  # nats: more than the order of a sum changes, or an ε of 1e-12 in a divisor


def convention_card(state: State, code: str, alike: tuple[str, ...], row: Any, options: dict[str, Any]) -> None:
    """Draw the convention of that code; `alike` print the same number, `row` holds its numbers on this batch."""
    convention = convention_coded(code)
    if alike[1:]:
        _choose(state, code, alike)
    else:
        st.markdown(f"**{escaped(code)} · {escaped(convention.name)}**")
    if np.isnan(row.value):
        st.latex(convention.formula)
        if not row.note:
            st.caption(_why_nan(row))
    else:
        st.latex(formula(convention, row))
        st.caption(
            literal(f"Divided by {row.divisor_counts}{_difference(row.difference)}.{_given(convention, options)}")
        )
    if row.note:
        st.caption(literal(row.note))
    _use(convention, options)
    _laws(convention)
    _users(convention)


def formula(convention: Convention, row: Any) -> str:
    r"""The formula, and the formula with this batch's numbers in it.

    >>> from types import SimpleNamespace
    >>> row = SimpleNamespace(numerator=13.8, divisor=15.0, value=0.92)
    >>> print(formula(convention_coded("C05"), row).splitlines()[-2])
    &= \frac{13.8}{15} = \mathbf{0.9200}\;\mathrm{nats}
    """
    top, under = latex_number(row.numerator), latex_number(row.divisor)
    fraction = top if row.divisor == 1 else rf"\frac{{{top}}}{{{under}}}"
    with np.errstate(all="ignore"):
        quotient = np.divide(row.numerator, row.divisor)
        power = np.exp(quotient)
    if np.isclose(power, row.value, rtol=1e-9) and convention.unit == "perplexity":
        fraction = rf"\exp\left({fraction}\right)"
    elif not np.isclose(quotient, row.value, rtol=1e-9):
        fraction = ""
    shown = " = ".join(filter(None, (fraction, rf"\mathbf{{{number(row.value).replace('−', '-')}}}")))
    unit = rf"\;\mathrm{{{convention.unit}}}"
    head, *rest = convention.formula.split(r",\; ")
    lines = [rf"&{head}", *(rf"&\quad {more}" for more in rest), rf"&= {shown}{unit}"]
    return "\\begin{aligned}\n" + "\\\\[14pt]\n".join(lines) + "\n\\end{aligned}"


def _why_nan(row: Any) -> str:
    """What was divided by what, where the quotient is not a number.

    >>> from types import SimpleNamespace
    >>> _why_nan(SimpleNamespace(numerator=0.0, divisor=0.0)), _why_nan(SimpleNamespace(numerator=np.nan, divisor=7.0))
    ('NaN on this batch: 0 ÷ 0, since nothing counts.', 'NaN on this batch: NaN ÷ 7.')
    """
    if np.isnan(row.divisor):
        return "NaN on this batch."
    top = "NaN" if np.isnan(row.numerator) else f"{row.numerator:,.6g}"
    return f"NaN on this batch: {top} ÷ {row.divisor:,.6g}{'' if row.divisor else ', since nothing counts'}."


def _difference(difference: float) -> str:
    """How far a number is from the app's, where both are in nats.

    >>> _difference(-0.33450001), _difference(0.0), _difference(float("nan"))
    ('; 0.3345 less than the number of the app', '; it is the number of the app', '')
    """
    if np.isnan(difference):
        return ""
    if abs(difference) < SAME:
        return "; it is the number of the app"
    return f"; {number(abs(difference))} {'more' if difference > 0 else 'less'} than the number of the app"


def _given(convention: Convention, options: dict[str, Any]) -> str:
    """The option values that the number was calculated with.

    >>> _given(convention_coded("LS1"), {"smoothing": 0.1, "z_loss": 1e-4})
    ' Label smoothing ε: 0.1.'
    """
    needed = [option for option in CONVENTION_OPTIONS if option.name in convention.needs and option.kind != "per_class"]
    return "".join(f" {option.label}: {options[option.name]:g}." for option in needed)


def _choose(state: State, code: str, alike: tuple[str, ...]) -> None:
    write_widget("convention", code)
    select(
        state,
        "convention",
        f"{len(alike)} conventions print this number",
        {other: f"{other} · {convention_coded(other).name}" for other in alike},
        about="They may differ on another batch: by fractional weights, empty sequences, padding.",
    )


def _use(convention: Convention, options: dict[str, Any]) -> None:
    possible = convention.reduction is not None
    if possible and is_applied(convention, options):
        st.caption(IN_USE)
        return
    st.button(
        "Use this reduction",
        key="use_reduction",
        disabled=not possible,
        on_click=partial(apply_convention, convention, options),
        help="Explore then shows its number, its divisor and its shares." if possible else WHY_NOT,
    )
    if not possible:
        st.caption(WHY_NOT)
    elif convention.unit != "nats":
        st.caption("The app shows its mean in nats.")


def _users(convention: Convention) -> None:
    for user in convention.users:
        st.markdown(f":blue-badge[{escaped(user.library)}] {escaped(user.what)}  \n:small[`{user.source}`]")


def _laws(convention: Convention) -> None:
    lines = []
    for law, (holds, fails) in IN_WORDS.items():
        sign, words = (":material/check:", holds) if law in convention.laws else (":material/close:", fails)
        lines.append(f"{sign} {escaped(words)}")
    st.markdown("  \n".join(lines), help="  \n".join(LAWS.values()))
