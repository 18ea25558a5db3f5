"""An analysis as tables: one row per timestep, sequence, reduction or class, in the same words as on screen."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from lossviz.analysis import Analysis
from lossviz.errors import SettingsError
from lossviz.explanation import Explanation
from lossviz.reductions import CALCULATIONS, reduction_named

Array = np.ndarray
MEASURES = (
    ("mask", "mask"),
    ("weight", "weights"),
    ("batch_loss", "batch_loss"),
    ("unpadded_loss", "unpadded_loss"),
    ("share", "share"),
    ("probability", "probability"),
    ("perplexity", "perplexity"),
    ("entropy", "entropy"),
    ("rank", "rank"),
    ("prediction", "prediction"),
    ("gradient_norm", "gradient_norm"),
    ("non_finite", "non_finite"),
    ("invalid", "invalid"),
)


def timesteps_table(analysis: Analysis) -> pd.DataFrame:
    """One row per timestep, sequence by sequence: its target, its loss, and the model's first choice.

    The column `input` exists where the batch has inputs. Losses and entropy are in nats; perplexity is exp(loss).

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]], lengths=[1], vocabulary=list("abcd"))
    >>> table = timesteps_table(analyze(batch))
    >>> table[["token", "weight", "batch_loss", "unpadded_loss"]].round(4).values.tolist()
    [['b', 1.0, 1.3863, 1.3863], ['c', 0.0, 1.3863, 0.0]]
    """
    batch = analysis.batch
    rows, columns = batch.targets.shape
    table = {
        "sequence": np.repeat(np.arange(rows), columns),
        "timestep": np.tile(np.arange(columns), rows),
        "target": batch.targets.ravel(),
        "token": _tokens(analysis, batch.targets),
    }
    if batch.inputs is not None:
        table["input"] = batch.inputs.ravel()
    for header, attribute in MEASURES:
        table[header] = getattr(analysis, attribute).ravel()
        if header == "prediction":
            words = _tokens(analysis, analysis.prediction)
            table["predicted_token"] = words if analysis.has_logits else np.where(table[header] < 0, "", words)
    return pd.DataFrame(table)


def sequences_table(analysis: Analysis) -> pd.DataFrame:
    """One row per sequence: how many of its timesteps count, Σ w·loss, Σ w·loss / Σ w, and its share of the number.

    The column `length` exists where the batch has lengths, `share` where all losses of a sequence are part of the same
    number.

    >>> from lossviz import Batch, analyze
    >>> table = sequences_table(analyze(Batch.from_arrays(logits=np.zeros((2, 3, 2)), targets=np.zeros((2, 3), int),
    ...                                                   lengths=[3, 1])))
    >>> table[["length", "counts", "share"]].values.tolist()
    [[3.0, 3.0, 0.75], [1.0, 1.0, 0.25]]
    """
    table = _along(analysis, axis=1, header="sequence")
    if analysis.batch.lengths is not None:
        table.insert(1, "length", analysis.batch.lengths)
    return table


def per_timestep_table(analysis: Analysis) -> pd.DataFrame:
    """One row per timestep, over all sequences: how many count there, Σ w·loss, Σ w·loss / Σ w, share of the number.

    The column `share` exists where all losses at a timestep are part of the same number.

    >>> from lossviz import Batch, analyze
    >>> table = per_timestep_table(analyze(Batch.from_arrays(logits=np.zeros((2, 2, 2)),
    ...                                                      targets=np.zeros((2, 2), int), lengths=[2, 1])))
    >>> table["counts"].tolist()
    [2, 1]
    """
    return _along(analysis, axis=0, header="timestep")


def reductions_table(analysis: Analysis) -> pd.DataFrame:
    """The five calculations on this batch under its mask: value, numerator, divisor, and what the divisor counts.

    Where a calculation does not fit the batch or gives several numbers, `value` is NaN and `note` says why.

    >>> from lossviz import Batch, analyze
    >>> table = reductions_table(analyze(Batch.from_arrays(logits=np.zeros((2, 2, 2)), targets=[[0, 1], [1, 0]])))
    >>> table[["name", "value", "divisor"]].round(4).values.tolist()[:3]
    [['mean', 0.6931, 4.0], ['language_model', 2.7726, 1.0], ['encoder_decoder', 1.3863, 2.0]]
    """
    return pd.DataFrame([_reduction_row(analysis, reduction.name) for reduction in CALCULATIONS])


def value_table(analysis: Analysis) -> pd.DataFrame:
    """One row per number, with its numerator and divisor; for unreduced losses, one row per timestep that counts.

    >>> from lossviz import Batch, Settings, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 2)), targets=np.zeros((2, 2), int), lengths=[2, 1])
    >>> per_sequence = Settings(reduction="sequence_loss", average_across_batch=False)
    >>> value_table(analyze(batch, per_sequence)).round(4).values.tolist()
    [[0.0, 0.6931, 1.3863, 2.0], [1.0, 0.6931, 0.6931, 1.0]]
    """
    value, numerator, divisor = (np.asarray(array) for array in (analysis.value, analysis.numerator, analysis.divisor))
    named = [name for axis, name in enumerate(("sequence", "timestep")) if axis not in analysis.reduced_axes]
    where = np.argwhere(analysis.mask) if value.ndim == 2 else np.argwhere(np.ones(value.shape, bool))
    columns: dict[str, np.ndarray] = {name: where[:, axis] for axis, name in enumerate(named)}
    picked = tuple(where.T)
    return pd.DataFrame(columns | {"value": value[picked], "numerator": numerator[picked], "divisor": divisor[picked]})


def cell_table(explanation: Explanation) -> pd.DataFrame:
    """One row per class of a timestep, most probable first.

    >>> from lossviz import Batch, analyze
    >>> explanation = analyze(Batch.from_arrays(logits=np.zeros((1, 1, 2)), targets=[[1]])).explain(0, 0)
    >>> cell_table(explanation)[["class", "probability", "gradient", "is_target"]].values.tolist()
    [[0, 0.5, 0.5, False], [1, 0.5, -0.5, True]]
    """
    return pd.DataFrame([asdict(step) for step in explanation.classes]).rename(columns={"class_id": "class"})


def steps_table(explanation: Explanation) -> pd.DataFrame:
    r"""One row per step of a timestep's arithmetic, from its logit to what it adds to the number; formulas in LaTeX.

    >>> from lossviz import Batch, analyze
    >>> explanation = analyze(Batch.from_arrays(logits=np.zeros((1, 1, 2)), targets=[[1]])).explain(0, 0)
    >>> table = steps_table(explanation)
    >>> table["step"][3], table["formula"][3], float(table["value"][3])
    ('sum of exponentials', '\\sum_v e^{z_v - \\max}', 2.0)
    """
    return pd.DataFrame(explanation.steps, columns=["step", "formula", "value"])


def problems_table(analysis: Analysis) -> pd.DataFrame:
    """One row per problem: its kind, one sentence, and how many timesteps it concerns.

    >>> from lossviz import Batch, analyze
    >>> table = problems_table(analyze(Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[0, 7]])))
    >>> table[["kind", "timesteps"]].values.tolist()
    [['label', 1]]
    """
    rows = [(problem.kind, problem.message, int(problem.cells.sum())) for problem in analysis.problems]
    return pd.DataFrame(rows, columns=["kind", "message", "timesteps"])


def _tokens(analysis: Analysis, ids: Array) -> Array:
    """The token of every id, flat; looked up once per distinct id."""
    distinct, where = np.unique(ids.ravel(), return_inverse=True)
    words = np.empty(len(distinct), object)
    words[:] = [text(analysis.batch.token(int(class_id))) for class_id in distinct]
    return words[where]


def text(token: str) -> str:
    # A lone surrogate, as JSON's "\ud800" gives, can't be written as UTF-8.
    return token.encode("utf-8", "backslashreplace").decode("utf-8")


def _along(analysis: Analysis, axis: int, header: str) -> pd.DataFrame:
    loss, weight = analysis.unpadded_loss.sum(axis=axis), analysis.weights.sum(axis=axis)
    with np.errstate(all="ignore"):
        mean = np.where(weight == 0, 0.0, loss / np.where(weight == 0, 1.0, weight))
    share = {"share": analysis.share.sum(axis=axis)} if axis in analysis.reduced_axes else {}
    counts = np.count_nonzero(analysis.mask, axis=axis)
    measures = {"counts": counts, "weight": weight, "unpadded_loss": loss, "mean_loss": mean}
    return pd.DataFrame({header: np.arange(len(loss))} | measures | share)


def _reduction_row(analysis: Analysis, name: str) -> dict[str, Any]:
    reduction = reduction_named(name)
    row = {"name": name, "title": reduction.title, "value": np.nan, "numerator": np.nan, "divisor": np.nan}
    note, counts = "", ""
    try:
        reduced = analysis.with_settings(analysis.settings.replace(reduction=name))
    except SettingsError as error:
        note = str(error)
    else:
        counts = reduced.divisor_counts
        if reduced.is_scalar:
            row |= {"value": reduced.value, "numerator": reduced.numerator, "divisor": reduced.divisor}
        else:
            note = f"{np.size(reduced.value)} numbers, of shape {np.shape(reduced.value)}"
    return row | {"divisor_counts": counts, "source": reduction.source, "note": note}
