"""The reviews: what the corpus promises, and what the shipped classifier makes of it."""

import re
from pathlib import Path

import numpy as np
import pytest

import lossviz
from lossviz import Batch, Settings, analyze
from lossviz.models.trained import STAGES, load_trained
from lossviz.rules import diagnose
from lossviz.samples import load_sample
from sample_data import reviews, train_reviews

DOCS = Path(lossviz.__file__).parents[1] / "docs" / "models.md"
CLASSIFICATION = Settings(reduction="classification")
SPLITS = {split: reviews.read(split) for split in reviews.SIZES}
TEST = SPLITS["test"]


def sample(stage: str) -> Batch:
    return Batch.from_arrays(**load_sample(f"reviews-{stage}"))


def test_reviews_leak_no_judgement_from_one_split_into_another() -> None:
    """Not only no review: the sentence that decides it stands in one split, once."""
    judgements = [reviews.judgement(review.text) for rows in SPLITS.values() for review in rows]
    assert len(judgements) == len(set(judgements)) == sum(reviews.SIZES.values())
    assert {split: len(rows) for split, rows in SPLITS.items()} == reviews.SIZES


@pytest.mark.parametrize("split", SPLITS)
def test_reviews_have_both_classes_alike_in_number_and_length(split: str) -> None:
    labels = np.array([review.label for review in SPLITS[split]])
    lengths = np.array([len(review.text.split()) for review in SPLITS[split]])
    assert labels.mean() == 0.5
    assert (lengths.min(), lengths.max() > 28) == (4, True)
    assert abs(lengths[labels == 0].mean() - lengths[labels == 1].mean()) < 1.5


def test_reviews_of_both_labels_have_the_same_words() -> None:
    """The words of praise stand in blame too, and the other way round: only their order tells."""
    words = [{word for r in SPLITS["train"] if r.label == label for word in r.text.lower().split()} for label in (0, 1)]
    for label, adjectives in reviews.ADJECTIVES.items():
        assert {*adjectives} <= {word.strip(".") for word in words[1 - label]}


def test_reviews_are_what_the_grammar_writes(tmp_path: Path) -> None:
    reviews.write(tmp_path / "reviews.txt")
    assert (tmp_path / "reviews.txt").read_bytes() == reviews.FILE.read_bytes()


def test_words_after_counts_what_follows_the_judgement() -> None:
    texts = ["It was never dull.", "So. It was never dull. We left at ten. That was last Monday."]
    assert [train_reviews.words_after(text) for text in texts] == [0, 8]


def test_bag_of_words_learns_words_and_not_their_order() -> None:
    plain = [reviews.Review("a good play", 1), reviews.Review("a bad play", 0)]
    turned = [reviews.Review("bad not good", 0), reviews.Review("good not bad", 1)]
    assert train_reviews.bag_of_words(plain, plain) == 1
    assert train_reviews.bag_of_words(turned, turned) == 0.5


def test_shown_reviews_are_of_the_test_split() -> None:
    assert {*train_reviews.SHOWN} <= {review.text for review in TEST}


def test_classifier_beats_the_bag_of_words_as_the_docs_say() -> None:
    baseline = train_reviews.bag_of_words(SPLITS["train"], TEST)
    scores = {stage: train_reviews.right(load_trained("reviews", stage), TEST).mean() for stage in STAGES}
    section = DOCS.read_text(encoding="utf-8").split("\n## Text classifier\n")[1].split("\n## ")[0]
    told = dict(re.findall(r"(?m)^\| (.+?) \| [\d.]+ % \| ([\d.]+) % \|$", section))
    assert told.pop("bag of words") == f"{100 * baseline:.1f}"
    assert {stage: float(told[stage]) for stage in STAGES} == pytest.approx(
        {stage: 100 * score for stage, score in scores.items()}, abs=0.81
    )
    assert scores["trained"] > scores["half-trained"] > baseline + 0.2


@pytest.mark.parametrize("stage", STAGES)
def test_sample_is_what_the_shipped_weights_give(stage: str) -> None:
    batch, labels = sample(stage), {review.text: review.label for review in TEST}
    again = load_trained("reviews", stage).record(train_reviews.SHOWN, [labels[text] for text in train_reviews.SHOWN])
    for name in ("inputs", "targets", "lengths"):
        assert np.array_equal(getattr(batch, name), getattr(again, name))
    np.testing.assert_allclose(again.logits, batch.logits, rtol=1e-4, atol=1e-4)
    assert batch.shape == (8, 15, 1)


def test_samples_show_what_their_lessons_say() -> None:
    losses = {stage: analyze(sample(stage), CLASSIFICATION).batch_loss for stage in STAGES}
    lengths = sample("trained").lengths
    read = {stage: loss[np.arange(8), lengths - 1] for stage, loss in losses.items()}
    np.testing.assert_allclose(losses["untrained"], np.log(2), atol=0.02)
    wrong = {stage: np.flatnonzero(each > np.log(2)).tolist() for stage, each in read.items()}
    assert (wrong["half-trained"], wrong["trained"]) == ([2, 3, 7], [1, 7])
    assert read["half-trained"].max() < 1.2
    assert read["trained"][[1, 7]].sum() > 0.99 * read["trained"].sum()
    for row in wrong["trained"]:
        assert losses["trained"][row, : lengths[row]].min() < np.log(2) / 4


@pytest.mark.parametrize("stage", STAGES)
def test_doctor_finds_nothing_in_a_classifier_read_as_one(stage: str) -> None:
    assert diagnose(analyze(sample(stage), CLASSIFICATION)).findings == ()
