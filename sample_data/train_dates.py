"""Train the encoder-decoder to write ISO dates, and record it before, during and after; the same bytes on every run."""

from collections.abc import Sequence
from pathlib import Path

from lossviz.formats import write
from lossviz.models import Seq2SeqModel
from lossviz.models._training import learn_tokens, set_seed
from lossviz.models.trained import SEED
from sample_data import dates

__all__ = ["HALF", "PAIRS", "STEPS", "exactly_right", "new_model", "report", "write_dates"]

NAME = "dates"
UNITS, LAYERS = 48, 1
PAIRS, STEPS, HALF = 20_000, 900, 200
TEST_PAIRS = 1000


def new_model() -> Seq2SeqModel:
    """One layer of 48 units in each direction; one of 96 in the decoder. Every token of the corpus has an id."""
    tokens = learn_tokens([text for pair in dates.pairs("train", PAIRS) for text in pair], "words and digits")
    set_seed(SEED)
    return Seq2SeqModel(len(tokens) + 2, LAYERS, UNITS, tokens=tokens)


def exactly_right(model: Seq2SeqModel, pairs: Sequence[tuple[str, str]]) -> float:
    """The share of sources whose target the model writes without a fault, by greedy decoding."""
    said = model.generate([source for source, _ in pairs])
    return sum(own == target for own, (_, target) in zip(said, pairs, strict=True)) / len(pairs)


def report(model: Seq2SeqModel) -> str:
    """What is exactly right of 1,000 pairs of the test split: of all, and of days, months and years."""
    pairs = dates.pairs("test", TEST_PAIRS)
    kinds = {"days": 10, "months": 7, "years": 4}
    of_kind = {name: [pair for pair in pairs if len(pair[1]) == width] for name, width in kinds.items()}
    parts = [f"{exactly_right(model, some):.1%} of {len(some)} {name}" for name, some in of_kind.items()]
    return f"{exactly_right(model, pairs):.1%} of {len(pairs)} unseen dates exactly right ({', '.join(parts)})"


def write_dates(folder: Path) -> None:
    """Train it, write its weights and its samples at three stages, and print what it can do on unseen dates."""
    model = new_model()

    def keep(stage: str) -> None:
        write(model.record(dates.SHOWN).fields(), folder / f"{NAME}-{stage}.npz")
        if stage != "untrained":
            model.save(folder / "models" / f"{NAME}-{stage}.keras")
        print(f"{NAME}, {stage}: {report(model)}")

    def on_step(done: int, _total: int, _loss: float) -> None:
        if done == HALF:
            keep("half-trained")

    (folder / "models").mkdir(exist_ok=True)
    keep("untrained")
    model.fit(dates.pairs("train", PAIRS), seed=SEED, steps=STEPS, on_step=on_step)
    keep("trained")


if __name__ == "__main__":
    write_dates(Path(__file__).parent)
