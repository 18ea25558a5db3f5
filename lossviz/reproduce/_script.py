"""One analysis as a script: arrays, mask, safe masking, loss, reduction, print, each part only where it is needed."""

from collections.abc import Iterator

import numpy as np

from lossviz.analysis import Analysis
from lossviz.reproduce._libraries import Library
from lossviz.reproduce._literals import values
from lossviz.reproduce._reduce import reduce_lines
from lossviz.version import __version__

__all__ = ["FILE", "INLINE_LOGITS", "needs_file", "script"]

FILE = "batch.npz"
INLINE_LOGITS = 400
NAN = 'float("nan")'
_DOUBLE_LOGITS = 2**25  # 256 MiB in float64; beyond it float32 logits stay float32


def needs_file(analysis: Analysis) -> bool:
    """Whether the scripts read the batch from `FILE`, because it is too large to be written out."""
    return int(np.prod(analysis.batch.shape if analysis.has_logits else analysis.weights.shape)) > INLINE_LOGITS


def script(analysis: Analysis, library: Library) -> str:
    """The script, part by part, with an empty line between the parts."""
    of_logits = (_safe, _labels, _loss) if analysis.has_logits else (_recorded,)
    parts = (_heading, _imports, _data, _mask, _last, *of_logits, reduce_lines)
    written = ("\n".join(part(analysis, library)) for part in parts)
    return "\n\n".join(text for text in written if text) + "\n"


def _heading(analysis: Analysis, _: Library) -> Iterator[str]:
    sequences, timesteps, classes = analysis.batch.shape
    # repr escapes line ends, so that a title stays inside its comment.
    title = f"{analysis.batch.title!r}, " if analysis.batch.title else ""
    width = f", V={classes} classes" if classes else ""
    yield f"# {title}B={sequences} sequences, T={timesteps} timesteps{width}"
    yield f"# {analysis.reduction.title}, mask: {analysis.mask_name}"
    if analysis.is_scalar:
        yield (
            f"# lossviz {__version__}: {analysis.value:.6g} = "
            f"{analysis.numerator:.6g} ÷ {analysis.divisor:.10g} ({analysis.divisor_counts})"
        )


def _imports(analysis: Analysis, library: Library) -> Iterator[str]:
    if needs_file(analysis):
        if _is_bfloat16(analysis):
            yield "import ml_dtypes"
        if library.name != "numpy":
            yield "import numpy as np"
    elif not np.isfinite(np.asarray(_scores(analysis), np.float64)).all():
        yield "from math import inf, nan\n"
    yield library.imports


def _data(analysis: Analysis, library: Library) -> Iterator[str]:
    if needs_file(analysis):
        yield f'batch = np.load("{FILE}")  # as lossviz saves it'
    dtype = "float32" if _is_bfloat16(analysis) else _scores(analysis).dtype.name
    name, axes = ("logits", "[B, T, V]") if analysis.has_logits else ("losses", "[B, T], −log p in nats, as recorded")
    yield f"{name} = {_array(analysis, library, name, dtype)}  # {axes}"
    yield f"targets = {_array(analysis, library, 'targets', 'int64')}  # [B, T]"
    if analysis.mask_name == "lengths":
        lengths = np.asarray(analysis.batch.lengths)
        yield f"lengths = {_array(analysis, library, 'lengths', lengths.dtype.name)}  # [B]"
    wide = _dtype(analysis)
    if wide != dtype:
        why = "keeps the digits of small losses" if wide == "float64" else "does not overflow"
        yield f"logits = {_cast(library, 'logits', wide)}  # {wide} {why}"


def _array(analysis: Analysis, library: Library, name: str, dtype: str) -> str:
    array = np.asarray(getattr(analysis.batch, name)) if not needs_file(analysis) else None
    if array is None:
        loaded = f'batch["{name}"]'
        if name == "logits" and _is_bfloat16(analysis):
            loaded += ".view(ml_dtypes.bfloat16).astype(np.float32)"
        return library.loaded.format(array=loaded)
    if array.size == 0:
        empty = "(" + ", ".join(map(str, array.shape)) + ("," if array.ndim == 1 else "") + ")"
        return f"{library.alias}.zeros({empty}, dtype={library.alias}.{dtype})"
    written = array.astype(np.float32) if array.dtype.name == "bfloat16" else array
    return library.array.format(values=values(written), dtype=dtype)


def _mask(analysis: Analysis, library: Library) -> Iterator[str]:
    name, batch, wide = analysis.mask_name, analysis.batch, _dtype(analysis)
    if name == "weights":
        yield f"weights = {_cast_if(library, _array(analysis, library, 'weights', 'float64'), wide)}  # [B, T]"
    elif name == "lengths":
        fractional = np.asarray(batch.lengths).dtype.kind == "f"
        yield "# A timestep counts before the end of its sequence" + (", a fraction dropped." if fractional else ".")
        if fractional:
            yield f"whole = {_cast(library, 'lengths', 'int64')}"
        expression = library.length_mask.format(m=library.alias, timesteps=batch.shape[1])
        yield f"weights = {_cast(library, expression.replace('lengths', 'whole') if fractional else expression, wide)}"
    elif name == "none":
        yield "# Every timestep counts."
        yield f"weights = {library.alias}.ones_like({'logits[..., 0]' if analysis.has_logits else 'losses'})"
    else:
        excluded = batch.ignore_id if name == "ignore_id" else batch.pad_id or 0
        yield f"# A timestep counts where its target is not {excluded}."
        yield f"weights = {_cast(library, f'targets != {excluded}', wide)}"


def _last(analysis: Analysis, library: Library) -> Iterator[str]:
    if analysis.settings.reduction != "classification":
        return
    yield "# Only the last timestep that counts is read."
    yield "counts = weights != 0"
    yield f"weights = {_cast(library, f'counts & ({library.later} == 1)', _dtype(analysis))}"


def _safe(analysis: Analysis, library: Library) -> Iterator[str]:
    if analysis.mask.all():
        return
    m = library.alias
    yield "# Where the weight is 0, harmless values go in before the loss: 0 * nan would be nan."
    yield "counts = weights != 0"
    yield f"logits = {m}.where(counts[..., None], logits, 0.0)"
    yield f"targets = {m}.where(counts, targets, 0)"


def _labels(analysis: Analysis, library: Library) -> Iterator[str]:
    classes = 2 if analysis.settings.reduction == "classification" else analysis.batch.shape[2]
    if _counting(analysis, "label"):
        yield "# A target that is no class has no loss."
        yield f"valid = (targets >= 0) & (targets < {classes})"
        yield f"targets = {library.alias}.where(valid, targets, 0)"


def _recorded(analysis: Analysis, library: Library) -> Iterator[str]:
    """The lines that take the recorded losses where they count."""
    m = library.alias
    if analysis.mask.all():
        yield "batch_loss = losses"
    else:
        yield "# Where the weight is 0, a loss that was not recorded must not reach the sum: 0 * nan would be nan."
        yield "counts = weights != 0"
        yield f"batch_loss = {m}.where(counts, losses, 0.0)"
    if _counting(analysis, "label"):
        classes = analysis.batch.classes
        valid = "targets >= 0" if classes is None else f"(targets >= 0) & (targets < {classes})"
        yield "# A target that is no class has no loss."
        yield f"batch_loss = {m}.where({valid}, batch_loss, {NAN})"
    yield from _unpadded(analysis, library)


def _loss(analysis: Analysis, library: Library) -> Iterator[str]:
    if library.name == "numpy" and (analysis.mask & (analysis.non_finite > 0)).any():
        yield 'np.seterr(invalid="ignore", divide="ignore")  # some logits that count are NaN or infinite'
    yield library.sigmoid if analysis.settings.reduction == "classification" else library.softmax
    if _counting(analysis, "label"):
        yield f"batch_loss = {library.alias}.where(valid, batch_loss, {NAN})"
    yield from _unpadded(analysis, library)


def _unpadded(analysis: Analysis, library: Library) -> Iterator[str]:
    if _counting(analysis, "length"):
        fraction = " & (lengths == whole)" if np.asarray(analysis.batch.lengths).dtype.kind == "f" else ""
        if fraction and library.name == "tensorflow":
            fraction = " & (lengths == tf.cast(whole, lengths.dtype))"
        yield "# Of an impossible length it is unknown which timesteps count."
        yield f"possible = (lengths >= 0) & (lengths <= {analysis.batch.shape[1]}){fraction}"
        where = "possible[:, None]" if analysis.mask.all() else "possible[:, None] | ~counts"
        yield f"batch_loss = {library.alias}.where({where}, batch_loss, {NAN})"
    yield "unpadded_loss = weights * batch_loss"


def _counting(analysis: Analysis, kind: str) -> bool:
    """Whether a problem of this kind concerns a timestep that counts, so that the number is NaN."""
    return any(problem.kind == kind and (problem.cells & analysis.mask).any() for problem in analysis.problems)


def _is_bfloat16(analysis: Analysis) -> bool:
    return bool(_scores(analysis).dtype.name == "bfloat16")


def _scores(analysis: Analysis) -> np.ndarray:
    """What the losses come from: the logits, or the losses themselves where they were recorded."""
    return np.asarray(analysis.batch.logits if analysis.has_logits else analysis.batch.losses)


def _dtype(analysis: Analysis) -> str:
    """The dtype to compute in: float64, unless that would cost too much memory."""
    small = int(np.prod(analysis.batch.shape)) <= _DOUBLE_LOGITS
    return "float64" if small or _scores(analysis).dtype == np.float64 else "float32"


def _cast(library: Library, expression: str, dtype: str) -> str:
    return (
        library.cast.format(x=expression, dtype=dtype).replace("(logits).", "logits.").replace("(lengths).", "lengths.")
    )


def _cast_if(library: Library, expression: str, dtype: str) -> str:
    return expression if dtype == "float64" else _cast(library, expression, dtype)
