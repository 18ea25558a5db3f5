"""The dates that the encoder-decoder is trained on, and what became of them in its samples."""

import datetime
import re
from pathlib import Path

import numpy as np
import pytest

from lossviz.batch import Batch
from lossviz.models.trained import load_trained
from lossviz.samples import load_sample
from sample_data import dates, train_dates

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
SAMPLES = ("dates-untrained", "dates-half-trained", "dates-trained")
MONTHS = [datetime.date(2000, month, 1).strftime("%B") for month in range(1, 13)]


def load(name: str) -> Batch:
    return Batch.from_arrays(**load_sample(name))


def losses(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """The cross entropy [B, T] in float64, and where it counts."""
    x = np.asarray(batch.logits, np.float64)
    chosen = np.take_along_axis(x, batch.targets[..., None], axis=-1)[..., 0]
    assert batch.lengths is not None
    return np.log(np.exp(x).sum(axis=-1)) - chosen, np.arange(x.shape[1]) < batch.lengths[:, None]


def test_periods_of_the_splits_are_every_day_month_and_year_once() -> None:
    for kind, count in enumerate((73049, 2400, 200)):  # 200 years, 49 of them leap years: 1900 was none
        every = [period for split in dates.SPLITS for period in dates.periods(split)[kind]]
        assert len(every) == len(set(every)) == count


def test_pairs_leak_no_test_date_in_any_form() -> None:
    """Neither the ISO date nor the text of a test pair occurs in what the model is trained on."""
    train = dates.pairs("train", train_dates.PAIRS)
    test = [*dates.pairs("test", train_dates.TEST_PAIRS), *dates.SHOWN]
    assert {target for _, target in train} & {target for _, target in test} == set()
    assert {source for source, _ in train} & {source for source, _ in test} == set()


def test_pairs_hold_every_month_ordinal_and_form() -> None:
    texts = " | ".join(source for source, _ in dates.pairs("train", train_dates.PAIRS)) + " |"
    missing = [name for name in MONTHS if f"{name} " not in texts]
    missing += [day for day in map(dates.ordinal, range(1, 32)) if f" {day} " not in texts]
    missing += [day for day in map(dates.day_th, range(1, 32)) if f" {day} " not in texts]
    assert missing == []
    for form in (*dates.DAY_FORMS, *dates.MONTH_FORMS, *dates.YEAR_FORMS):
        assert re.search(rf"(^|\| ){re.sub(r'{.*?}', r'[^|]+', form)} \|", texts), form


@pytest.mark.parametrize("form", [form for form in dates.DAY_FORMS if re.search("{day} .*{month}.* {year}", form)])
def test_written_is_what_the_calendar_reads(form: str) -> None:
    read = {"{day}": "%d", "{month}": "%B", "{year}": "%Y", "{weekday}": "%A"}
    for period in dates.periods("test")[0][:40]:
        text = dates.written(period, form)
        moment = datetime.datetime.strptime(text, re.sub(r"{\w+}", lambda found: read[found[0]], form))
        assert (moment.year, moment.month, moment.day) == period
        assert moment.strftime("%A") in text or "{weekday}" not in form


def test_written_means_one_period_only() -> None:
    """Where the century is not said, nor the day, still no two periods are written alike."""
    meaning: dict[str, str] = {}
    years = [(year,) for year in range(1900, 2100)]
    months = [(*year, month) for year in years for month in range(1, 13)]
    days = [(*month, day) for month in months if month[0] in (1949, 1950, 1999, 2000, 2049) for day in range(1, 29)]
    for period in [*years, *months, *days]:
        for form in dates.forms(period):
            assert meaning.setdefault(dates.written(period, form), dates.iso(period)) == dates.iso(period)
    assert len(meaning) > 30_000


def test_pairs_of_the_same_seed_are_the_same() -> None:
    assert dates.pairs("train", 50) == dates.pairs("train", 50)
    assert dates.pairs("train", 50, seed=1) != dates.pairs("train", 50)


def test_dates_shown_are_of_the_test_split_and_written_by_a_form() -> None:
    for source, target in dates.SHOWN:
        period = tuple(map(int, target.split("-")))
        assert period in dates.periods("test")[3 - len(period)]
        assert source in [dates.written(period, form) for form in dates.forms(period)]


@pytest.mark.parametrize("name", SAMPLES)
def test_dates_sample_reads_start_and_the_date_and_must_say_the_date_and_stop(name: str) -> None:
    batch = load(name)
    tokens = [list(target) for _, target in dates.SHOWN]
    for row, own in enumerate(tokens):
        read, said = ([batch.token(index) for index in ids[row]] for ids in (np.asarray(batch.inputs), batch.targets))
        padding = ["<pad>"] * (11 - len(own) - 1)
        assert read == ["<start>", *own, *padding]
        assert said == [*own, "<stop>", *padding]
    assert np.asarray(batch.lengths).tolist() == [11, 11, 11, 11, 11, 8, 8, 5]
    assert (batch.shape, batch.pad_id, batch.token(batch.eos_id or 0)) == ((8, 11, 115), 0, "<stop>")


def test_dates_samples_become_better_and_stay_loud_in_the_padding() -> None:
    """Untrained is a uniform guess; half-trained knows how a date is written; trained knows the date."""
    loss, counts = losses(load("dates-untrained"))
    np.testing.assert_allclose(loss, np.log(115), atol=0.03)
    half = load("dates-half-trained")
    loss, counts = losses(half)
    digits = np.vectorize(lambda index: half.token(index).isdigit())(half.targets)
    assert loss[counts & ~digits].mean() < 0.03 < 0.5 < loss[counts & digits].mean() < 1
    loss, counts = losses(load("dates-trained"))
    assert loss[counts].max() < 0.07 < 5 < loss[~counts].min()


@pytest.mark.parametrize(("stage", "right"), [("half-trained", 0.198), ("trained", 0.996)])
def test_dates_model_writes_as_many_unseen_dates_without_a_fault_as_the_docs_say(stage: str, right: float) -> None:
    pairs = dates.pairs("test", train_dates.TEST_PAIRS)
    assert train_dates.exactly_right(load_trained("dates", stage), pairs) == pytest.approx(right, abs=0.004)
    assert f"| {stage} | {right * 100:.1f} % |" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("stage", ["untrained", "half-trained", "trained"])
def test_dates_model_records_its_sample_again(stage: str) -> None:
    batch, sample = load_trained("dates", stage).record(dates.SHOWN), load(f"dates-{stage}")
    np.testing.assert_allclose(batch.logits, sample.logits, atol=1e-4)
    assert np.array_equal(batch.targets, sample.targets)
    assert batch.vocabulary == sample.vocabulary
