"""Train the language model on characters, measure it on sentences that it never saw, and record it at three stages."""

from pathlib import Path

import numpy as np

from lossviz.formats import write
from lossviz.models import LanguageModel
from lossviz.models._training import set_seed
from lossviz.models.trained import SEED
from sample_data import bigram, prose

__all__ = ["HALF", "SHOWN", "STEPS", "baselines", "new_model", "perplexity", "write_language_model"]

NAME = "language-model"
STEPS, HALF = 900, 110
CLASSES = len(prose.CHARACTERS) + 1  # what may follow: a character or the stop
TYPED_LENGTH = 256  # longer than what it is trained on, so that typed sentences fit
# Eight pieces of the test set.
SHOWN = [
    "'Wake up, Dormouse!",
    "'Who is this?",
    "'You shan't be beheaded!' said Alice,",
    "'What IS the fun?' said Alice.",
    "'Right, as usual,' said the Duchess:",
    "'But everything's curious today.",
    "'fetch her here.",
    "'Yes!' shouted Alice.",
]


def new_model() -> LanguageModel:
    """Two layers of 96 units over the printable characters of ASCII."""
    set_seed(SEED)
    tokens = prose.CHARACTERS
    return LanguageModel(len(tokens) + 4, TYPED_LENGTH, 96, 2, tokens=tokens, split="characters")


def perplexity(model: LanguageModel, texts: list[str]) -> float:
    """The perplexity, exp of the mean loss of every character and stop of the texts in nats."""
    batch = model.record(texts)
    overall_loss = model.calculate_loss(*model.run_lstm(batch.inputs), batch.targets)
    return float(np.exp(float(overall_loss) / np.asarray(batch.lengths).sum()))


def baselines(parts: prose.Split) -> list[tuple[str, float, float]]:
    """What each bigram model is, and its perplexity on validation, which it is tuned on, and on test."""
    ids = [[[0, *map(ord, text), 1] for text in texts] for texts in parts]
    lines: list[tuple[str, float, float]] = []
    for title, make, options in (
        ("bigram, interpolated Kneser-Ney, discount", bigram.kneser_ney, bigram.DISCOUNTS),
        ("bigram, add-k, k =", bigram.add_k, bigram.CONSTANTS),
    ):
        best, model = bigram.tuned(make, options, ids[0], ids[1], CLASSES)
        lines.append((f"{title} {best:g}", bigram.perplexity(model, ids[1]), bigram.perplexity(model, ids[2])))
    return lines


def write_language_model(folder: Path) -> None:
    """Train it, write its weights and its samples at three stages, and print what it costs on held-out sentences."""
    parts, model = prose.split(), new_model()

    def keep(stage: str) -> None:
        write(model.record(SHOWN).fields(), folder / f"{NAME}-{stage}.npz")
        if stage != "untrained":
            model.save(folder / "models" / f"{NAME}-{stage}.keras")
        costs = (perplexity(model, texts) for texts in (parts.validation, parts.test))
        print(f"{NAME}, {stage}: perplexity {' on validation, '.join(f'{cost:.2f}' for cost in costs)} on test")

    def on_step(done: int, _total: int, _loss: float) -> None:
        if done == HALF:
            keep("half-trained")

    (folder / "models").mkdir(exist_ok=True)
    keep("untrained")
    model.fit(parts.train, seed=SEED, steps=STEPS, on_step=on_step)
    keep("trained")
    for title, validation, test in baselines(parts):
        print(f"{title}: perplexity {validation:.2f} on validation, {test:.2f} on test")


if __name__ == "__main__":
    write_language_model(Path(__file__).parent)
