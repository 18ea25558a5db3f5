"""The browser's model of a batch, asked without a page around it, for the tests that hold it to the server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page

import lossviz
from lossviz import Analysis, Batch
from lossviz.figures import equation, live_equation
from lossviz.masking import sequence_ends
from lossviz.samples import load_sample

__all__ = ["NAMES", "WAITS", "asked", "assert_same_number", "batches", "floats", "open_model"]

SHARED = Path(lossviz.__file__).parent / "ui" / "shared"
SAMPLES = ("golden", "alice-trained", "weights-disagree", "weights-fractional", "logits-nan")
WAITS = {"decoder_length"}  # whose divisor does not follow from a few sums
ASK = """({ live, edits }) => {
  const model = new Model(live).after(edits);
  const flat = (numbers) => [...numbers].map(String);
  const { numerator, divisor, value, counting } = model.number() ?? {};
  const { rows, columns, total } = model.sums();
  const terms = Object.entries(live.timestep ? knownTerms(model, live.timestep.cell) : {});
  return { numbers: [numerator, divisor, value, counting].map(String), rows: flat(rows), columns: flat(columns),
           total: String(total), weights: flat(model.weight), line: model.line(), losses: flat(model.value),
           targets: model.targets, terms: Object.fromEntries(terms.map(([name, value]) => [name, String(value)])),
           words: [...model.renamed.keys()].map((at) => [at, model.word(at)]), logit: String(model.timestep?.logit) };
}"""
NAMES = "({ labels, texts }) => texts.map((text) => classNamed(labels, text) ?? null)"


def open_model(browser: Browser) -> Page:
    """A page that has nothing but the model."""
    page = browser.new_page()
    parts = ("timestep", "model", "paint", "terms")
    code = "".join((SHARED / f"plot_{name}.js").read_text("utf-8") for name in parts)
    page.add_script_tag(content=code + "; Object.assign(globalThis, { Model })")
    return page


def batches() -> Iterator[tuple[str, Batch]]:
    for name in SAMPLES:
        yield name, Batch.from_arrays(**load_sample(name))
    random = np.random.default_rng(4)
    logits, targets = random.normal(0, 4, (6, 9, 5)), random.integers(0, 5, (6, 9))
    yield "no mask", Batch.from_arrays(logits=logits, targets=targets)
    yield "pad id", Batch.from_arrays(logits=logits, targets=targets, pad_id=0)
    labels: dict[str, Any] = {"logits": logits[..., :1], "targets": targets % 2}
    yield "classifier, lengths", Batch.from_arrays(**labels, lengths=[9, 0, 4, 1, 12, 2.5])
    yield "classifier, weights", Batch.from_arrays(**labels, weights=random.choice([0.0, 0.5, 1.0], (6, 9)))
    yield "classifier, no mask", Batch.from_arrays(**labels)


def asked(
    page: Page,
    analysis: Analysis,
    edits: Any,
    window: Any = None,
    quantity: str = "loss",
    ask: str = ASK,
    cell: Any = None,
) -> Any:
    """What the model says of a batch after some edits, made one after the other; NaN and ±∞ are text."""
    batch = analysis.batch
    lengths = batch.lengths if batch.lengths is not None else sequence_ends(batch, analysis.mask_name, analysis.mask)
    live = live_equation(analysis, quantity=quantity, window=window, cell=cell) | {
        "mask": analysis.mask_name,
        "lengths": lengths.tolist(),
    }
    told = [{"field": field, "index": list(index), "value": value} for field, index, value in edits]
    return page.evaluate(ask, {"live": json.loads(json.dumps(live)), "edits": told})


def floats(texts: list[str]) -> np.ndarray:
    return np.array([float(text.replace("Infinity", "inf")) for text in texts])


def assert_same_number(found: Any, after: Analysis, about: str) -> None:
    """The numerator, the divisor, the number and the count, and the line that says them, are the server's."""
    wanted = [after.numerator, after.divisor, after.value, after.mask.sum()]
    np.testing.assert_allclose(floats(found["numbers"]), wanted, 1e-6, 1e-9, err_msg=about)
    [said] = [note.text for note in equation(after).layout.annotations if note.name == "divisor"]
    assert "".join(found["line"]) == said.replace("<b>", "").replace("</b>", ""), about
