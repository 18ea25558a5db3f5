"""The texts that the theatre trains on and measures with: `sample_data/corpora/`, one per line, the split first."""

from lossviz.samples import sample_folder

__all__ = ["corpus"]


def corpus(name: str, split: str) -> list[list[str]]:
    """The columns of each line of a split.

    Args:
        name: "characters" (text), "dates" (source, target) or "reviews" ("praise" or "blame", text).
        split: "train" or "test".

    >>> corpus("dates", "train")[0]
    ['July 13, 2076', '2076-07-13']
    """
    text = (sample_folder() / "corpora" / f"{name}.txt").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("# ")]
    return [columns for own, *columns in rows if own == split]
