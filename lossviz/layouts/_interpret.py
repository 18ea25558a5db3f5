"""Fields of a file → the arguments of a Batch, and everything that was assumed on the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossviz.errors import InputError, NamesError, not_one_of, words_of
from lossviz.file_arrays import ARRAYS
from lossviz.formats import FIELDS, plain
from lossviz.layouts._boundary import only_sentences
from lossviz.layouts._catalogue import LAYOUTS
from lossviz.layouts._draft import Assumption, Choices, Draft, Layout, shape_of
from lossviz.layouts._refusals import refuse_uncovered

__all__ = ["Reading", "interpret"]

_COUNTS = ("num_items_in_batch", "labels_per_timestep")
_TEXTS = ("pad_id", "eos_id", "ignore_id", *_COUNTS, "reported", "title", "vocabulary", "input_vocabulary")


@dataclass(frozen=True, eq=False)
class Reading:
    """How the fields of a file were read.

    Attributes:
        arguments: of `Batch.from_arrays`.
        layout: the layouts that were recognised, with commas, or "plain".
        title: the same in words, such as "Hugging Face".
        assumptions: what was assumed, in order; empty where nothing was.
    """

    arguments: Mapping[str, Any]
    layout: str = "plain"
    title: str = ""
    assumptions: tuple[Assumption, ...] = ()

    @property
    def sentence(self) -> str:
        """What was assumed, in one line, or "".

        >>> interpret({"logits": np.zeros((1, 2, 3)), "targets": np.zeros((1, 2, 1), int)}).sentence
        'read as Trailing axis: the last axis of targets has size 1 and is dropped'
        """
        return f"read as {self.title}: {'; '.join(one.text for one in self.assumptions)}" if self.assumptions else ""


def interpret(
    fields: Mapping[str, Any],
    *,
    names: Mapping[str, str] | None = None,
    layout: str | Iterable[str] | None = None,
    shift: bool | None = None,
    ignore_id: int | None = None,
    pad_id: int | None = None,
    eos_id: int | None = None,
    weights: str | None = None,
    reduction: str | None = None,
    reported: str | None = None,
) -> Reading:
    """Recognise how the fields of a file are laid out.

    Args:
        fields: what the file holds, by its own names.
        names: from lossviz's names to the file's own; `{}` takes the names as they are.
        layout: names from `LAYOUTS`, as a list or with commas; None tries all of them.
        shift: whether the logits are compared with the next label; None lets the logits tell.
        ignore_id: the label that is ignored; None lets the labels tell (−100).
        pad_id: the id that fills the rows up.
        eos_id: the id that ends a sequence.
        weights: the name of the field that weighs the loss, or "none".
        reduction: "classification" reads one logit as the label of the sequence, any other as one of every timestep.
        reported: what the training loop printed.

    Raises:
        InputError: if a layout that was asked for does not fit, or the loss is of a kind that is not covered.
        NamesError: if there are no logits, or no targets.

    >>> labels = np.array([[1, 2, 1, -100]])
    >>> reading = interpret({"logits": np.zeros((1, 4, 3)), "labels": labels, "attention_mask": np.ones((1, 4))})
    >>> reading.layout, reading.arguments["targets"].tolist(), reading.arguments["ignore_id"]
    ('hugging-face', [[2, 1, -100]], -100)
    """
    choices = Choices(_wanted(layout), shift, ignore_id, pad_id, eos_id, weights, reduction, reported)
    given = {name: value for name, value in fields.items() if value is not None}
    with only_sentences():
        return _interpreted(_named(Draft(given, choices), names), names)


def _interpreted(draft: Draft, names: Mapping[str, str] | None) -> Reading:
    """What every layout that fits makes of a draft, one after the other."""
    wanted = draft.choices.layout
    draft = draft.replacing(**{name: _plain(name, draft[name]) for name in _TEXTS if name in draft})
    for one in LAYOUTS[1:]:
        if one.name == "renamed" and names == {}:
            continue
        if wanted is None or one.name in wanted or (one.name == "renamed" and wanted != ("plain",)):
            draft = _applied(one, draft)
    return _reading(draft)


def _plain(name: str, value: Any) -> Any:
    """An id, a text or a vocabulary as `Batch.from_arrays` takes it; a printed number may be a number."""
    if name == "num_items_in_batch" and np.size(value):  # a float, or one a device, in some trainers
        return int(np.asarray(value).reshape(-1)[0])
    if name == "reported" and shape_of(value) in ((), (1,)) and np.asarray(value).dtype.kind in "iufV":
        return str(np.asarray(value).reshape(-1)[0])
    return plain(name, value, "the file")


def _wanted(layout: str | Iterable[str] | None) -> tuple[str, ...] | None:
    if layout is None:
        return None
    wanted = tuple(words_of("layout", layout))
    known = [one.name for one in LAYOUTS]
    if stranger := next((name for name in wanted if name not in known), None):
        raise InputError(not_one_of("layout", stranger, known))
    return wanted


def _named(draft: Draft, names: Mapping[str, str] | None) -> Draft:
    """Give fields the names that the caller said."""
    if not names:
        return draft
    rest = {name: value for name, value in draft.fields.items() if name not in names.values()}
    missing = next((key for key in names.values() if key not in draft), None)
    if missing is not None:
        raise NamesError(f"`names` holds `{missing}`, but the file holds {', '.join(draft.fields)}.", draft.fields)
    fields = rest | {name: draft[key] for name, key in names.items()}
    return replace(draft, fields=fields, origin={**draft.origin, **names})


def _applied(layout: Layout, draft: Draft) -> Draft:
    """One layout taken out of a draft, where it is recognised."""
    read = layout.read(draft)
    if read is None:
        if draft.choices.forces(layout.name):
            raise InputError(f"`layout='{layout.name}'` needs {layout.needs}; got {_held(draft)}.")
        return draft
    new = [replace(one, layout=layout.name) for one in read.assumptions[len(draft.assumptions) :]]
    return replace(read, assumptions=(*draft.assumptions, *new), layouts=(*draft.layouts, layout.name))


def _held(draft: Draft) -> str:
    shapes = [f"`{name}` {np.shape(value)}" for name, value in draft.fields.items() if isinstance(value, ARRAYS)]
    return " and ".join(shapes[:4]) or "no arrays"


def _reading(draft: Draft) -> Reading:
    """The arguments, once what was said is in them, and the loss is known to be of a kind that is covered."""
    refuse_uncovered(draft)
    said = {name: getattr(draft.choices, name) for name in ("ignore_id", "pad_id", "eos_id")}
    fields = {**draft.fields, **{name: value for name, value in said.items() if value is not None}}
    arguments = {
        name: _plain(name, fields[name]) if name in _TEXTS else fields[name] for name in FIELDS if name in fields
    }
    used = tuple(name for name in draft.layouts if any(one.layout == name for one in draft.assumptions))
    titles = [one.title for one in LAYOUTS if one.name in used]
    main = [title for title in titles if title != "Other names"] or titles
    assumptions = tuple(_settled(one, used) for one in draft.assumptions)
    return Reading(arguments, ",".join(used) or "plain", " + ".join(main), assumptions)


def _settled(one: Assumption, used: tuple[str, ...]) -> Assumption:
    """What `layout` must be to leave one layout out: the others, or "plain"."""
    if one.option != "layout":
        return one
    return replace(one, value=",".join(name for name in used if name != one.layout) or "plain")
