"""What the user's hand does in the picture: the mask, a length, a weight, a target, its logit; each step can be undone.

The browser draws a step at once and tells it afterwards: its number, its batch, and of each entry the value that was
shown. It repeats what the server has not taken yet, so that no step is lost where messages are merged.
"""

import re
from functools import partial
from math import isfinite
from typing import Any

from lossviz.analysis import Analysis
from lossviz.digits import number
from lossviz.edits import EDITABLE
from lossviz.errors import InputError
from lossviz.figures import live_equation
from lossviz.masking import sequence_ends
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.edit_history import Entry, change_steps, save_typed
from lossviz.ui.shared.equation import theme

__all__ = ["NO_LOGIT", "NO_TARGET", "class_named", "hand_of", "no_weight", "take_steps"]

NO_TARGET = "What another target would cost can't be told without logits."
NO_LOGIT = "This batch holds losses and no logits: there are none to edit."
NOT_HERE = "Leave projector mode to edit targets and logits."
READS_ONE = "A classifier reads one timestep of each sequence: click the one to read."
GOES_ON = "A later timestep of this sequence counts, right of the part that is shown, and that one is read."
FIELDS = ("weights", "lengths", "targets", "logits")
DONE, LAST = "equation:done", "equation:last"
OTHER_BATCH = "Another batch was opened before that change arrived, so nothing was edited."
_WITH_ID = re.compile(r"(?s)(.*) \((\d{1,18})\)")


def hand_of(
    state: State,
    analysis: Analysis,
    quantity: str,
    window: tuple[int, int, int, int] | None,
    *,
    stage: str = "",
) -> dict[str, Any] | None:
    """What the browser needs to edit the batch in the picture, and to draw it at once; None without a timestep.

    Args:
        state: whose batch is on screen.
        analysis: of that batch.
        quantity: what the cells show; of others than the loss, sums and numbers wait for the server.
        window: the part that is shown; None for all.
        stage: of projector mode, where the mask alone is edited; "" for the whole equation.
    """
    batch, source = analysis.batch, state.source
    if source is None or 0 in analysis.weights.shape:
        return None
    lengths = batch.lengths if batch.lengths is not None else sequence_ends(batch, analysis.mask_name, analysis.mask)
    key = state.editors.draw("hand", source, {}).key
    drawn = partial(live_equation, analysis, quantity=quantity, window=window, theme=theme())
    try:
        live = drawn(cell=None if stage else state.cell)
    except InputError:  # a file that changed on disk: the panel of the cell says so, and the mask can still be edited
        live = drawn()
    return {
        **live,
        "mask": analysis.mask_name,
        "lengths": [length if isfinite(length) else None for length in lengths.tolist()],
        "place": f"{analysis.settings.reduction} {quantity} {window} {stage} {theme()} {key}",
        "has_terms": not stage,
        "hand": {
            "batch": key,
            "done": read_widget(DONE, 0),
            "step": _last_step(source, analysis),
            "reads": analysis.is_classifier,
            "why": {
                "weights": READS_ONE if analysis.is_classifier else no_weight(analysis),
                "lengths": _no_length(analysis),
                "reads": no_weight(analysis) if _no_length(analysis) else "",
                "goes_on": GOES_ON,
                "targets": NOT_HERE if stage else "" if analysis.has_logits else NO_TARGET,
                "logits": NOT_HERE if stage else "" if analysis.has_logits else NO_LOGIT,
            },
        },
    }


def no_weight(analysis: Analysis) -> str:
    """Why the weights can't be edited, or ""."""
    if analysis.settings.mask in (None, "weights"):
        return ""
    return f"Only the mask “weights” can be edited; “{analysis.mask_name}” is chosen in the sidebar."


def _no_length(analysis: Analysis) -> str:
    """Why the length of a sequence can't be edited in the picture, or ""."""
    chosen, batch = analysis.settings.mask, analysis.batch
    if chosen == "lengths" or (chosen is None and batch.weights is None):
        return ""
    if chosen is None:
        return "This batch has weights, which say what counts: edit them in the mask instead."
    return f"Lengths are not in use: “{analysis.mask_name}” is chosen in the sidebar."


def _last_step(source: Source, analysis: Analysis) -> str:
    """How the last change of this batch or of the settings changed the number, until the next one; or ""."""
    now = (analysis.value, int(analysis.mask.sum())) if analysis.is_scalar else None
    of, before, words = read_widget(LAST) or (None, None, "")
    if of is not source:
        words = ""
    elif repr(now) != repr(before):  # NaN is itself
        words = _step_words(before, now) if before and now else ""
    write_widget(LAST, (source, now, words))
    return words


def _step_words(before: tuple[float, int], after: tuple[float, int]) -> str:
    """The step from one number to the next, and from one count of timesteps, as the browser writes it.

    >>> _step_words((1.2545, 11), (0.9667, 15)), _step_words((2.0, 3), (1.0, 3))
    ('1.2545 → 0.9667, + 4 timesteps', '2.0000 → 1.0000')
    """
    more = after[1] - before[1]
    unit = "timestep" if abs(more) == 1 else "timesteps"
    count = f", {'+' if more > 0 else '−'} {abs(more)} {unit}" if more else ""
    return f"{number(before[0])} → {number(after[0])}{count}"


def take_steps(state: State, key: str) -> None:
    """Make the steps that the browser has sent from the picture of that key, each once, in their order; a callback."""
    event = dict(read_widget(key) or {}).get("event")
    steps = event.get("steps") if isinstance(event, dict) else None
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict) and type(step.get("number")) is int and step["number"] > read_widget(DONE, 0):
            write_widget(DONE, step["number"])
            _make(state, step)


def _make(state: State, step: dict[str, Any]) -> None:
    drawn, source = state.editors.drawn.get("hand"), state.source
    if drawn is None or source is None or drawn.key != step.get("batch") or drawn.target is not source:
        state.refusal = OTHER_BATCH
        return
    if step.get("undo") in ("undo", "redo"):
        change_steps(state, source, Source.undo if step["undo"] == "undo" else Source.redo)
        return
    held: dict[Entry, Any] = {}
    typed: dict[Entry, float | None] = {}
    for edit in step.get("edits") or ():
        entry, value = _entry(source, edit), edit.get("value")
        if isinstance(value, str):
            value = class_named(source, value)
            if value is None:
                state.refusal = f"“{edit['value'][:80]}” is no token of this batch and no class id: nothing was edited."
                return
        before = edit.get("held")  # JSON knows no NaN and no ∞: their names
        held[entry], typed[entry] = float(before) if isinstance(before, str) else before, float(value)
    save_typed(state, Editor(drawn.key, source, held, dict(held)), typed)


def _entry(source: Source, edit: dict[str, Any]) -> Entry:
    """The entry that an edit names; an edit that names none of the batch is a mistake of ours."""
    field, index = edit["field"], tuple(edit["index"])
    inside = all(type(i) is int and 0 <= i < n for i, n in zip(index, source.current.shape, strict=False))
    if field not in FIELDS or len(index) != EDITABLE[field] or not inside:
        raise ValueError(f"the picture sent no entry of this batch: {edit}")
    return field, index


def class_named(source: Source, text: str) -> int | None:
    """The class of a typed token, of an id, or of both as the field shows them: "tea (4)"."""
    vocabulary = source.current.vocabulary
    words = list(vocabulary) if vocabulary is not None else []
    both = _WITH_ID.fullmatch(text)
    if both and int(both[2]) < len(words) and words[int(both[2])][:80] == both[1]:
        return int(both[2])
    if text in words:
        return words.index(text)
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else None
