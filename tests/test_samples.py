"""The catalogue of samples: every file is there, loads, and shows what its lesson says."""

import re
from pathlib import Path

import numpy as np
import pytest

from lossviz import samples
from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.samples import DEFAULT, GROUPS, SAMPLES, Sample, load_sample, sample_path
from sample_data import alice, make_samples, worked

FOLDER = Path(samples.__file__).parents[2] / "sample_data"
ALICE = [sample.name for sample in SAMPLES if sample.name.startswith("alice-")]


def load(name: str) -> Batch:
    return Batch.from_arrays(**load_sample(name))


def losses(batch: Batch) -> np.ndarray:
    """The cross entropy [B, T] in float64, from the definition."""
    x = np.asarray(batch.logits, np.float64)
    top = x.max(axis=-1)
    normaliser = top + np.log(np.exp(x - top[..., None]).sum(axis=-1))
    return normaliser - np.take_along_axis(x, batch.targets[..., None], axis=-1)[..., 0]


def counts(batch: Batch) -> np.ndarray:
    assert batch.lengths is not None
    return np.arange(batch.shape[1]) < batch.lengths[:, None]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_sample_loads_as_a_batch_with_title_and_lesson(sample: Sample) -> None:
    batch = load(sample.name)
    assert batch.title == sample.title
    assert sample.title.strip() == sample.title != ""
    assert re.fullmatch(r"[A-Z](?:(?!\. ).)*\.", sample.lesson)
    assert sample.group in GROUPS


def test_samples_are_sorted_and_named_once() -> None:
    names = [sample.name for sample in SAMPLES]
    assert names == sorted(set(names))
    assert len({sample.title for sample in SAMPLES}) == len(names)
    assert DEFAULT in names


def test_samples_list_every_file_of_the_folder() -> None:
    listed = {sample.file for sample in SAMPLES}
    assert {path.name for path in FOLDER.iterdir() if path.suffix in (".json", ".npz")} == listed


def test_samples_stay_below_ten_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 10e6


def test_load_sample_without_a_name_opens_the_default() -> None:
    assert load_sample()["title"] == load_sample("alice-trained")["title"]


@pytest.mark.parametrize(("name", "hint"), [("goldn", " Did you mean `golden`?"), ("", ""), ("../..", "")])
def test_sample_path_refuses_an_unknown_name_with_the_options(name: str, hint: str) -> None:
    options = ", ".join(sample.name for sample in SAMPLES)
    with pytest.raises(InputError) as caught:
        sample_path(name)
    assert str(caught.value) == f"There is no sample `{name}`.{hint} There are {options}."


def test_sample_path_prefers_the_folder_of_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "__file__", str(tmp_path / "lossviz" / "samples" / "__init__.py"))
    assert sample_path("golden") == tmp_path / "sample_data" / "golden.json"
    (tmp_path / "lossviz" / "_sample_data").mkdir(parents=True)
    assert sample_path("golden") == tmp_path / "lossviz" / "_sample_data" / "golden.json"


def test_make_samples_writes_the_worked_examples_that_are_committed(tmp_path: Path) -> None:
    make_samples.write_worked(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in FOLDER.glob("*.json")
    }


def test_worked_examples_are_readable_lines() -> None:
    text = (FOLDER / "lengths-3-4-2.json").read_text(encoding="utf-8")
    assert "    [2, 3, 1, 0],\n    [4, 2, 3, 1],\n    [3, 1, 0, 0]\n" in text


def test_golden_sample_adds_up_as_the_conventions_say() -> None:
    batch = load("golden")
    loss, mask = losses(batch), counts(batch)
    np.testing.assert_allclose([loss[mask].sum(), loss.sum()], [13.8, 14.5], rtol=1e-12)
    assert int(mask.sum()) == 11
    assert batch.targets[1, 1] == batch.pad_id == 0
    assert batch.reported is None


def test_golden_weights_sample_adds_up_as_the_conventions_say() -> None:
    batch = load("golden-weights")
    assert batch.weights is not None
    assert (batch.weights.sum(), np.count_nonzero(batch.weights)) == (10.5, 11)
    assert (losses(batch) * batch.weights).sum() == pytest.approx(11.35, rel=1e-12)


def test_lengths_sample_costs_3_6_and_3() -> None:
    batch = load("lengths-3-4-2")
    np.testing.assert_allclose((losses(batch) * counts(batch)).sum(axis=1), [3, 6, 3], rtol=1e-12)
    assert counts(batch).astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]]


def test_padding_mask_sample_has_the_mask_of_the_course() -> None:
    batch = load("padding-mask")
    mask = np.sign(batch.targets)
    assert batch.declared_mask == "nonpad"
    assert mask.tolist() == np.sign(np.asarray(batch.inputs)).tolist() == [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]
    assert (losses(batch) * mask).sum() / mask.sum() == pytest.approx(7 / 6, rel=1e-12)


def test_base_of_the_odd_samples_is_a_correct_batch() -> None:
    batch = Batch.from_arrays(**worked.base())
    assert losses(batch)[counts(batch)].mean() == pytest.approx(8 / 7, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "label"),
    [("label-minus-100", -100), ("label-minus-1", -1), ("label-v", 5), ("label-2-to-the-32", 2**32)],
)
def test_label_sample_has_one_target_that_is_no_class(name: str, label: int) -> None:
    batch = load(name)
    wrong = (batch.targets < 0) | (batch.targets >= batch.shape[2])
    assert np.argwhere(wrong).tolist() == [[0, 1]]
    assert batch.targets[0, 1] == label


@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("length-0", [4, 0]),
        ("length-above-t", [9, 3]),
        ("length-fractional", [4.0, 2.7]),
        ("length-minus-1", [4, -1]),
    ],
)
def test_length_sample_has_that_length(name: str, lengths: list[float]) -> None:
    assert np.asarray(load(name).lengths).tolist() == lengths


@pytest.mark.parametrize(
    ("name", "nans", "infinities"),
    [("logits-nan", [[0, 2], [1, 3]], []), ("logits-inf", [], [[0, 0], [0, 1], [1, 3]])],
)
def test_logits_sample_is_not_finite_in_those_timesteps(
    name: str, nans: list[list[int]], infinities: list[list[int]]
) -> None:
    logits = load(name).logits
    assert np.argwhere(np.isnan(logits).any(axis=-1)).tolist() == nans
    assert np.argwhere(np.isinf(logits).any(axis=-1)).tolist() == infinities


def test_logits_all_nan_sample_is_all_nan() -> None:
    assert bool(np.isnan(load("logits-all-nan").logits).all())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("weights-254-255", {254.0, 255.0}),
        ("weights-all-0", {0.0}),
        ("weights-fractional", {0.0, 0.25, 0.5, 1.0, 2.0}),
        ("weights-negative", {-1.0, 0.0, 1.0}),
    ],
)
def test_weights_sample_has_those_weights(name: str, values: set[float]) -> None:
    assert set(np.asarray(load(name).weights).ravel().tolist()) == values


def test_weights_disagree_sample_disagrees_twice() -> None:
    batch = load("weights-disagree")
    assert np.argwhere((np.asarray(batch.weights) != 0) != counts(batch)).tolist() == [[1, 1], [1, 3]]


def test_tokens_hostile_sample_shows_each_token_once() -> None:
    batch = load("tokens-hostile")
    assert sorted(batch.targets.ravel().tolist()) == list(range(10))
    assert max(map(len, batch.vocabulary or ())) == 10_000
    assert {"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](http://example.com)"} <= set(
        batch.vocabulary or ()
    )


@pytest.mark.parametrize("name", ALICE)
def test_alice_sample_predicts_the_next_word(name: str) -> None:
    batch = load(name)
    mask, inputs = counts(batch), np.asarray(batch.inputs)
    assert batch.vocabulary == tuple(alice.vocabulary())
    assert batch.pad_id == alice.PAD
    assert batch.eos_id == alice.EOS
    assert np.array_equal(inputs[:, 1:][mask[:, 1:]], batch.targets[:, :-1][mask[:, 1:]])
    assert np.array_equal(batch.targets != alice.PAD, mask)
    assert set(inputs[:, 0].tolist()) == {alice.BOS}
    assert set(batch.targets[np.arange(len(mask)), mask.sum(axis=1) - 1].tolist()) == {alice.EOS}


def test_alice_untrained_is_a_uniform_guess() -> None:
    np.testing.assert_allclose(losses(load("alice-untrained")), np.log(640), atol=2e-3)


def test_alice_trained_is_better_than_a_uniform_guess_and_loudest_in_the_padding() -> None:
    before, after = load("alice-untrained"), load("alice-trained")
    loss, mask = losses(after), counts(after)
    assert np.array_equal(before.targets, after.targets)
    assert loss[mask].mean() < 2 < losses(before)[mask].mean()
    assert loss[~mask].min() > np.log(640) > loss[mask].max()


def test_alice_kept_out_costs_most_where_nothing_was_trained() -> None:
    batch = load("alice-kept-out")
    loss, mask = losses(batch), counts(batch)
    seen, unseen = (loss[rows][mask[rows]].mean() for rows in (slice(0, 4), slice(4, 8)))
    assert seen < 2 < 4 < unseen
    row, timestep = np.unravel_index(np.argmax(np.where(mask, loss, 0)), loss.shape)
    assert batch.token(int(batch.targets[row, timestep])) == "flock"


def test_alice_trained_64_is_float16_and_mostly_padding() -> None:
    batch = load("alice-trained-64")
    loss, mask = losses(batch), counts(batch)
    assert batch.logits.dtype == np.float16
    assert batch.shape == (64, 32, 640)
    assert mask.mean() < 0.5
    assert loss[:, 0].mean() > 2 * loss[mask].mean()


def test_alice_text_is_the_book_alone() -> None:
    text = alice.TEXT.read_text(encoding="utf-8")
    assert text.startswith("CHAPTER VII. A Mad Tea-Party\n")
    assert "gutenberg" not in text.lower()
    assert {" ".join(words) for words in alice.sentences()} >= {*alice.SHOWN, *alice.KEPT_OUT}
