"""`python -m tests.fuzz`: hostile files, runs, texts, links and arguments; the exit status is 1 if anything breaks.

`--seed` and a number name a case until a kind is added: `--seed 7 --only 1234` runs it in this process, with its
traceback, and `--keep` writes it to the corpus, which every run of the tests reads.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from tests.fuzz import cases, workers

CORPUS = Path(__file__).parent / "corpus"


def corpus() -> Iterator[workers.Numbered]:
    """What was found once, under negative numbers."""
    for index, path in enumerate(sorted(CORPUS.glob("*.*")), 1):
        kind = path.suffix.removeprefix(".")
        if kind in cases.files.MAKERS:
            yield -index, kind, path.read_bytes


def stream(seed: int, first: int = 0) -> Iterator[workers.Numbered]:
    """The corpus, then new cases without end."""
    if first == 0:
        yield from corpus()
    yield from (workers.numbered(seed, number) for number in count(first))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--cases", type=int, default=None, help="end after so many")
    parser.add_argument("--only", type=int, help="run one case here, and let it raise")
    parser.add_argument("--keep", action="store_true", help="with --only: write it to the corpus")
    arguments = parser.parse_args()
    if arguments.only is not None:
        return _only(arguments.seed, arguments.only, keep=arguments.keep)
    for kind in ("command", "link"):  # so that workers find imported what they need
        cases.ask(kind, cases.make(kind, random.Random(0)))
    cases.ask("command", ["identify", str(CORPUS / "losses.json"), "1.2"])
    start = time.monotonic()
    outcome = workers.run(islice(stream(arguments.seed), arguments.cases), start + arguments.seconds)
    for answer, times in sorted(outcome.counts.items()):
        sys.stdout.write(f"{times:7,} {answer}\n")
    seconds = time.monotonic() - start
    wrong = len(outcome.wrong)
    sys.stdout.write(f"seed {arguments.seed}: {outcome.done:,} cases in {seconds:.0f} s, {wrong} wrong\n")
    for one in outcome.wrong:
        sys.stdout.write(json.dumps(one) + "\n")
    return min(wrong, 1)


def _only(seed: int, number: int, *, keep: bool) -> int:
    _, kind, make = list(corpus())[-number - 1] if number < 0 else workers.numbered(seed, number)
    content = make()
    if keep and isinstance(content, bytes):
        (CORPUS / f"seed{seed}-{number}.{kind}").write_bytes(content)
    sys.stdout.write(f"{kind}: {str(content)[:2_000]}\n")
    workers._limits()
    sys.stdout.write(cases.ask(kind, content) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
