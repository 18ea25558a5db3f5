"""The table of conventions as text, for docs/conventions.md."""

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.conventions._convention import DIVISORS, LAWS, PADDING, Convention
from lossviz.conventions._table import CONVENTIONS
from lossviz.reductions import Options
from lossviz.samples import load_sample

__all__ = ["padding_answer", "reference"]

TOLD = Options(smoothing=0.1, groups=((0,), (1, 2)))
"""The options of the golden batch's loop; the others have no golden value."""


def padding_answer() -> str:
    """Which conventions padding fools, in two sentences.

    >>> padding_answer().startswith("Padding fools C02, C04, C05,")
    True
    """
    fooled = ", ".join(row.code for row in CONVENTIONS if PADDING not in row.laws)
    return (
        f"Padding fools {fooled}: they sum over it, or divide by the width T, so that a longer row elsewhere in the "
        "batch changes the number. A mean over the timesteps that count, over the sequences, or over each sequence's "
        "own mean stays as it is, however far the batch is padded."
    )


def reference() -> str:
    """The table by what is divided by, then the laws, in Markdown."""
    batch = Batch.from_arrays(**load_sample("golden"))
    analysis, parts = analyze(batch), []
    for group, title in DIVISORS.items():
        rows = [_row(row, analysis) for row in CONVENTIONS if row.group == group]
        head = "| code | name | formula | divisor | unit | golden | who prints it |\n|---|---|---|---|---|---|---|"
        parts.append(f"## {title}\n\n{head}\n" + "\n".join(rows))
    laws = "\n\n".join(_law(name, says) for name, says in LAWS.items())
    return "\n\n".join([*parts, "## The laws", laws])


def _row(convention: Convention, analysis: Analysis) -> str:
    quotient = None if TOLD.missing(convention.needs) else convention.quotient(analysis, TOLD)
    number = "" if quotient is None or np.isnan(quotient.value) else f"{quotient.value:.4f}"
    counts = quotient.counts if quotient else f"needs {', '.join(f'`{name}`' for name in convention.needs)}"
    printed_by = "<br>".join(f"{user.library}: {user.what} (`{user.source}`)" for user in convention.users)
    name = convention.name + (f"<br>*{convention.note}*" if convention.note else "")
    cells = (f"`{convention.code}`", name, f"$`{convention.formula}`$", counts, convention.unit, number, printed_by)
    return f"| {' | '.join(cells)} |"


def _law(name: str, says: str) -> str:
    obeying = [f"`{row.code}`" for row in CONVENTIONS if name in row.laws]
    broken = [f"`{row.code}`" for row in CONVENTIONS if name not in row.laws]
    title = name.replace("_", " ").capitalize()
    return f"### {title}\n\n{says}\n\n- Obey it: {', '.join(obeying)}.\n- Break it: {', '.join(broken)}."
