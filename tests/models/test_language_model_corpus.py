"""The text of the language model: three sets that share no sentence, bigram baselines, what the trained model costs."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import lossviz
from lossviz.models.trained import load_trained
from sample_data import alice, bigram, prose, train_language_model

DOCS = Path(lossviz.__file__).parents[1] / "docs" / "models.md"
TRAIN = [[2, 4, 5, 4, 3], [2, 5, 5, 3], [2, 4, 3]]
VALIDATION = [[2, 4, 4, 3], [2, 6, 3]]


def test_prose_parts_the_sentences_into_three_sets_that_share_none() -> None:
    parts = prose.split()
    assert [len(part) for part in parts] == [680, 88, 88]
    texts = [text for part in parts for text in set(part)]
    assert len(texts) == len(set(texts))


def test_prose_leaks_no_held_out_sentence_into_the_training_text() -> None:
    """A short answer such as “said Alice.” may stand inside a training sentence; nothing longer does."""
    parts = prose.split()
    read = "\n".join(parts.train)
    sentences = [text for text in (*parts.validation, *parts.test) if len(text) > 25 and text in read]
    assert sentences == []


def test_prose_pieces_are_the_sentences_in_order() -> None:
    sentences = prose.sentences()
    assert [" ".join(prose.pieces(sentence)) for sentence in sentences] == sentences
    assert max(len(piece) for sentence in sentences for piece in prose.pieces(sentence)) < prose.MAX_LENGTH
    assert len(sentences) == len(set(sentences)) == 391


def test_prose_has_printable_characters_of_ascii_only() -> None:
    used = set(alice.TEXT.read_text(encoding="utf-8"))
    assert used - {"\n"} <= set(prose.CHARACTERS)
    assert len(prose.CHARACTERS) == 95


@pytest.mark.parametrize("make", [bigram.kneser_ney, bigram.add_k])
@pytest.mark.parametrize("before", [2, 4, 5, 9])
def test_bigram_probabilities_add_up_to_one(make: object, before: int) -> None:
    """The last context was never seen; ids 3 to 7 may follow."""
    probability = make(TRAIN, 5, 0.3)
    assert sum(probability(before, after) for after in range(3, 8)) == pytest.approx(1)


def test_kneser_ney_follows_its_formula() -> None:
    """n(4) = 3, followed by 5 once and 3 twice; 8 bigram types, 4 of them end in 5 or 4, 2 in 3."""
    pairs = [pair for ids in TRAIN for pair in pairwise(ids)]
    kinds = set(pairs)
    discount = 0.5
    contexts = {after: len({a for a, b in kinds if b == after}) for after in (3, 4, 5)}
    lower = {
        after: (max(contexts.get(after, 0) - discount, 0) + discount * len(contexts) / 5) / len(kinds)
        for after in (3, 4, 5, 6)
    }
    probability = bigram.kneser_ney(TRAIN, 5, discount)
    count = {after: pairs.count((4, after)) for after in lower}
    assert count == {3: 2, 4: 0, 5: 1, 6: 0}
    for after, mass in lower.items():
        expected = (max(count[after] - discount, 0) + discount * 2 * mass) / 3
        assert probability(4, after) == pytest.approx(expected, rel=1e-12)


def test_perplexity_of_a_uniform_guess_is_the_number_of_classes() -> None:
    assert bigram.perplexity(lambda *_: 0.2, VALIDATION) == pytest.approx(5)


def test_tuned_takes_the_option_that_costs_least_on_validation() -> None:
    options = [0.1, 0.5, 0.9]
    best, probability = bigram.tuned(bigram.kneser_ney, options, TRAIN, VALIDATION, 5)
    costs = {option: bigram.perplexity(bigram.kneser_ney(TRAIN, 5, option), VALIDATION) for option in options}
    assert best == min(costs, key=costs.__getitem__)
    assert bigram.perplexity(probability, VALIDATION) == min(costs.values())


def test_trained_language_model_beats_the_bigram_baselines_as_the_docs_say() -> None:
    parts = prose.split()
    lines = train_language_model.baselines(parts)
    costs = {
        stage: [train_language_model.perplexity(load_trained("language-model", stage), part) for part in parts[1:]]
        for stage in ("untrained", "half-trained", "trained")
    }
    assert costs["untrained"] == pytest.approx([99, 99], rel=1e-2)
    best = np.min([line[1:] for line in lines], axis=0)
    assert np.all(np.array(costs["trained"]) < 0.75 * best)
    assert np.all(np.array(costs["half-trained"]) > best)
    rows = re.findall(r"(?m)^\| (.+?) \| ([\d.]+) \| ([\d.]+) \|$", DOCS.read_text(encoding="utf-8").split("\n## ")[1])
    told = {title: (float(validation), float(test)) for title, validation, test in rows}
    for title, *measured in (*lines, *((stage, *cost) for stage, cost in costs.items())):
        assert told[title] == pytest.approx(measured, abs=0.02)


def test_shown_sentences_are_of_the_test_set() -> None:
    assert set(train_language_model.SHOWN) <= set(prose.split().test)
