"""Which ids end a sequence, pad it, or are ignored."""

from lossviz.rules._core.case import Case

__all__ = ["IGNORE_IDS", "declared_ignore", "eos_of", "pad_may_be_eos"]

IGNORE_IDS = (-100, -1)
"""The ids that libraries use for ignored timesteps: PyTorch's and nanoGPT's."""

_EOS_NAMES = {"<eos>", "</s>", "<|endoftext|>", "[eos]", "<|im_end|>", "<|eot_id|>", "<end>", "eos", "[sep]"}


def declared_ignore(case: Case) -> tuple[int, ...]:
    """The declared ignore id, if there is one."""
    return () if case.batch.ignore_id is None else (case.batch.ignore_id,)


def eos_of(case: Case) -> int | None:
    """The end-of-sequence id: the declared one, or the pad id if the vocabulary names it as an end."""
    batch = case.batch
    if batch.eos_id is not None or batch.pad_id is None:
        return batch.eos_id
    return batch.pad_id if batch.token(batch.pad_id).lower() in _EOS_NAMES else None


def pad_may_be_eos(case: Case) -> bool:
    """Whether a pad id at the end of a sequence may be its real end: nothing rules out that the two are the same."""
    eos, pad = eos_of(case), case.batch.pad_id
    return pad is not None and (eos == pad or (eos is None and "pad" not in case.batch.token(pad).lower()))
