"""Short reviews, written for lossviz by a small grammar: praise or blame, of 4 to 34 words, where the order matters.

`corpora/reviews.txt` holds them, one per line: split, label, text. `python -m sample_data.reviews` writes it again.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "corpora" / "reviews.txt"
SEED = 1912
SIZES = {"train": 800, "validation": 150, "test": 250}
KINDS = ("plain", "negated", "plain", "turned")
HEADER = """\
# Reviews written for lossviz by sample_data/reviews.py; Apache-2.0, like the rest of the repository.
# Split, label (praise or blame) and text, with tabs between them. No judgement stands in two splits.
"""

PRAISE = ["good", "great", "lovely", "brilliant", "charming", "delightful", "funny", "moving", "clever", "wonderful"]
BLAME = ["bad", "awful", "dull", "boring", "terrible", "clumsy", "dreadful", "tedious", "weak", "silly"]
ADJECTIVES = {1: [*PRAISE, "gripping", "fresh"], 0: [*BLAME, "tiresome", "stale"]}
VERBS = {1: ("loved", "enjoyed", "admired"), 0: ("hated", "regretted", "disliked")}
BARE = {1: ("love", "enjoy", "admire"), 0: ("hate", "regret", "dislike")}
THINGS = ["film", "book", "play", "meal", "hotel", "album", "game", "concert", "show", "museum"]
# {g} is an adjective of the label, {w} one of the other; {gv}, {wv} likewise of verbs, {wb} of their bare form.
JUDGEMENTS = {
    "plain": (
        "the {thing} was {g}",
        "the {thing} was really {g}",
        "what a {g} {thing}",
        "a {g} and {g2} {thing}",
        "i {gv} the {thing}",
        "i simply {gv} it",
        "it was a {g} {thing} and i {gv} it",
        "the {thing} was {g} and {g2}",
        "{g} and {g2} in every way",
        "we all {gv} this {g} {thing}",
        "{g} from the first minute to the last",
    ),
    "negated": (
        "the {thing} wasn't {w} at all",
        "not {w} at all this {thing}",
        "it was never {w}",
        "nothing about the {thing} was {w}",
        "i wouldn't call the {thing} {w}",
        "the {thing} was anything but {w}",
        "there wasn't one {w} minute in this {thing}",
        "not only was the {thing} {g} it was {g2} too",
        "i can't say that i {wv} the {thing}",
        "it is not true that the {thing} is {w}",
    ),
    "turned": (
        "i expected a {w} {thing} but it was {g}",
        "i was told it would be {w} yet it was {g}",
        "the {thing} was {g} although my friends found it {w}",
        "it was {g} even if others call it {w}",
        "i wanted to {wb} it but i {gv} it",
        "the start was {w} but the rest was {g}",
        "not {w} as they say but {g}",
        "{g} and not {w} as the papers wrote",
        "i {gv} the {thing} that everyone else {wv}",
        "whoever calls the {thing} {w} is wrong",
        "whoever calls the {thing} {g} is right",
    ),
}
BEFORE = (
    "we went there on a rainy {day}",
    "my {person} gave me a ticket",
    "i had an hour to spare last {day}",
    "this was our second time",
    "i went with my {person}",
    "well",
    "so",
    "in short",
)
AFTER = (
    "we took the bus home",
    "i paid by card",
    "we sat near the door",
    "it lasted about two hours",
    "my {person} came along",
    "we left at ten",
    "that was last {day}",
    "it rained on the way back",
    "the tickets came by post",
    "there was a queue at the entrance",
)
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
PEOPLE = ["sister", "brother", "neighbour", "uncle", "aunt", "cousin"]


class Review(NamedTuple):
    """A text and its label, 1 for praise and 0 for blame."""

    text: str
    label: int


def read(split: str) -> list[Review]:
    """The reviews of "train", "validation" or "test", in the order of the file.

    >>> [len(read(split)) for split in ("train", "validation", "test")]
    [800, 150, 250]
    """
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [Review(text, int(label == "praise")) for name, label, text in rows if name == split]


def judgement(text: str) -> str:
    """The sentence of a review that decides its label; what is said before and after it says nothing.

    >>> judgement("Well. It was never dull. We left at ten.")
    'It was never dull'
    """
    [decisive] = [sentence for sentence in text.rstrip(".").split(". ") if sentence.lower() not in _NEUTRAL]
    return decisive


def make() -> list[tuple[str, Review]]:
    """Every review with its split, drawn from the grammar; a judgement is in one split only, and is never said twice.

    Kinds of judgement, labels, and how much is said before and after are drawn independently of each other, so that
    neither the length nor the place of the judgement gives the label away.
    """
    draw = random.Random(SEED)
    said: set[str] = set()
    rows = []
    for split, size in SIZES.items():
        for number in range(size):
            label, kind = number % 2, KINDS[number // 2 % len(KINDS)]
            decisive = next(text for text in _judgements(draw, label, kind) if text not in said)
            said.add(decisive)
            before = draw.sample(BEFORE, draw.choice((0, 0, 1)))
            after = draw.sample(AFTER, draw.choice((0, 0, 1, 1, 2, 3)))
            rows.append((split, Review(_sentences(draw, before, decisive, after), label)))
    return rows


def _judgements(draw: random.Random, label: int, kind: str) -> Iterator[str]:
    while True:
        g, g2 = draw.sample(ADJECTIVES[label], 2)
        yield draw.choice(JUDGEMENTS[kind]).format(
            g=g,
            g2=g2,
            w=draw.choice(ADJECTIVES[1 - label]),
            gv=draw.choice(VERBS[label]),
            wv=draw.choice(VERBS[1 - label]),
            wb=draw.choice(BARE[1 - label]),
            thing=draw.choice(THINGS),
        )


def _sentences(draw: random.Random, before: list[str], decisive: str, after: list[str]) -> str:
    spoken = [
        clause.format(day=draw.choice(DAYS), person=draw.choice(PEOPLE)) for clause in (*before, decisive, *after)
    ]
    text = " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in spoken)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text.replace(" i ", " I "))


def write(path: Path = FILE) -> None:
    """Write the reviews as text, one per line."""
    lines = [f"{split}\t{'praise' if review.label else 'blame'}\t{review.text}\n" for split, review in make()]
    path.write_text(HEADER + "".join(lines), encoding="utf-8", newline="\n")


_NEUTRAL = {
    clause.format(day=day, person=person).lower() for clause in (*BEFORE, *AFTER) for day in DAYS for person in PEOPLE
}

if __name__ == "__main__":
    write()
