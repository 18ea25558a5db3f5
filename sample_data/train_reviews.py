"""Train the classifier on the reviews, hold it against a bag of words, and record it before, during and after.

`python -m sample_data.train_reviews --compare` trains both ways of reading the backward half from five seeds each, for
about four minutes: the table in `docs/models.md`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lossviz.formats import write
from lossviz.models import ClassificationModel
from lossviz.models._training import Tokenizer, learn_tokens, set_seed
from lossviz.models.trained import SEED
from sample_data import reviews
from sample_data.reviews import Review

__all__ = ["HALF", "SHOWN", "STEPS", "bag_of_words", "compare", "new_model", "right", "words_after", "write_reviews"]

NAME = "reviews"
UNITS, STEPS, HALF = 16, 1000, 300
TYPED_LENGTH = 64  # longer than any review, so that typed ones fit
SEEDS = (1, 2, 3, 4, 5)
WAYS = {"last_real": "the backward half at the last real timestep", "first": "the backward half at timestep 0"}
# Eight reviews of the test set.
SHOWN = [
    "I enjoyed the show.",
    "I wouldn't call the film charming. It rained on the way back.",
    "I went with my sister. Funny from the first minute to the last.",
    "The game was terrible. There was a queue at the entrance.",
    "The show wasn't weak at all. We took the bus home. That was last Saturday.",
    "Whoever calls the film fresh is wrong. There was a queue at the entrance.",
    "I expected a charming meal but it was awful. It rained on the way back.",
    "There wasn't one dull minute in this concert. That was last Wednesday.",
]


def new_model(backward_at: str = "last_real", seed: int = SEED) -> ClassificationModel:
    """16 units in each direction, and an id for every word of the training reviews."""
    tokens = learn_tokens([review.text for review in reviews.read("train")], "words")
    set_seed(seed)
    return ClassificationModel(len(tokens) + 2, TYPED_LENGTH, UNITS, backward_at=backward_at, tokens=tokens)


def right(model: ClassificationModel, rows: Sequence[Review]) -> np.ndarray:
    """Of which reviews the model finds the label the more probable one, [N] bool."""
    labels = np.array([review.label for review in rows])
    found: np.ndarray = (model.probabilities([review.text for review in rows]) > 0.5) == labels
    return found


def bag_of_words(rows: Sequence[Review], test: Sequence[Review]) -> float:
    """The accuracy on `test` of logistic regression on which words there are, in any order, fitted to `rows`.

    Minimises the mean cross entropy and 0.001 / 2 · ‖weights‖² by 3,000 steps of gradient descent.
    """
    tokenizer = Tokenizer(learn_tokens([review.text for review in rows], "words"), "words")
    seen, labels = _features(tokenizer, rows), np.array([review.label for review in rows])
    weights = np.zeros(seen.shape[1])
    for _ in range(3000):
        errors = 1 / (1 + np.exp(-seen @ weights)) - labels
        weights -= 0.5 * (seen.T @ errors / len(labels) + 1e-3 * weights)
    return float(((_features(tokenizer, test) @ weights > 0) == [review.label for review in test]).mean())


def words_after(text: str) -> int:
    """How many words a review goes on for after its judgement.

    >>> words_after("Well. It was never dull. We left at ten.")
    4
    """
    return len(text.split(f"{reviews.judgement(text)}.", 1)[1].split())


def compare(seeds: Sequence[int] = SEEDS, steps: int = STEPS, half: int = HALF) -> None:
    """Print the accuracy of both ways on the test reviews, half and fully trained: mean ± standard deviation of seeds.

    In percent, of all reviews, and of those that go on for 0, 1 to 8, or more words after their judgement.
    """
    after = np.array([words_after(review.text) for review in reviews.read("test")])
    groups = np.array([after >= 0, after == 0, (after > 0) & (after <= 8), after > 8])
    print(f"reviews: {groups.sum(axis=1).tolist()}")
    for way, title in WAYS.items():
        found = np.array([_found(way, seed, steps, half) for seed in seeds])  # [seeds, 2, reviews]
        scores = 100 * found @ groups.T / groups.sum(axis=1)
        for done, rows in zip((half, steps), scores.swapaxes(0, 1), strict=True):
            columns = (f"{m:.1f} ± {s:.1f}" for m, s in zip(rows.mean(axis=0), rows.std(axis=0, ddof=1), strict=True))
            each = ", ".join(f"{score:.1f}" for score in rows[:, 0])
            print(f"{title}, {done} steps: {', '.join(columns)} (all reviews, seed by seed: {each})", flush=True)


def _found(way: str, seed: int, steps: int, half: int) -> list[np.ndarray]:
    """Which test reviews a model gets right after `half` and after `steps` steps."""
    model, test = new_model(way, seed), reviews.read("test")
    found = []

    def on_step(done: int, _total: int, _loss: float) -> None:
        if done in (half, steps):
            found.append(right(model, test))

    model.fit(reviews.read("train"), seed=seed, steps=steps, on_step=on_step)
    return found


def write_reviews(folder: Path) -> None:
    """Train it, write its weights and its samples at three stages, and print its accuracy on held-out reviews."""
    model, (train, validation, test) = new_model(), (reviews.read(split) for split in reviews.SIZES)
    labels = {review.text: review.label for review in test}

    def keep(stage: str) -> None:
        write(model.record(SHOWN, [labels[text] for text in SHOWN]).fields(), folder / f"{NAME}-{stage}.npz")
        if stage != "untrained":
            model.save(folder / "models" / f"{NAME}-{stage}.keras")
        scores = (right(model, rows).mean() for rows in (validation, test))
        print(f"{NAME}, {stage}: {' on validation, '.join(f'{score:.1%}' for score in scores)} on test")

    def on_step(done: int, _total: int, _loss: float) -> None:
        if done == HALF:
            keep("half-trained")

    (folder / "models").mkdir(exist_ok=True)
    keep("untrained")
    model.fit(train, seed=SEED, steps=STEPS, on_step=on_step)
    keep("trained")
    print(f"bag of words: {bag_of_words(train, validation):.1%} on validation, {bag_of_words(train, test):.1%} on test")


def _features(tokenizer: Tokenizer, rows: Sequence[Review]) -> np.ndarray:
    """1 where a review has a word, [N, words + 1]; the last column is 1, for the bias."""
    there = np.zeros((len(rows), len(tokenizer.vocabulary) + 1))
    for row, ids in zip(there, tokenizer.ids([review.text for review in rows]), strict=True):
        row[[*ids, -1]] = 1
    return there


if __name__ == "__main__":
    compare() if "--compare" in sys.argv else write_reviews(Path(__file__).parent)
