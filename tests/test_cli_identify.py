"""`lossviz identify`: what it prints, its JSON, its exit status, and what it refuses."""

import json

import numpy as np
import pytest

from lossviz import Batch, analyze, tables, write
from lossviz.cli import main
from lossviz.cli._parser import parsers
from lossviz.identification import identify
from tests.golden import golden_batch

KEYS = [
    *("rank", "code", "codes", "kind", "title", "value", "difference", "formula", "explanation", "fix", "aliases"),
    *("apart", "accidental", "counts"),
]


@pytest.fixture
def golden_file(tmp_path):
    path = tmp_path / "golden.npz"
    write(golden_batch(reported="0.92000").fields(), path)
    return str(path)


def printed(capsys, *words, status=0):
    """What the command prints; it must end with that status and say nothing on stderr."""
    assert main(["identify", *words]) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def document(capsys, *words, status=0):
    return json.loads(printed(capsys, *words, "--json", status=status), parse_constant=pytest.fail)


def codes(capsys, *words, status=0):
    """The codes of each match, likeliest first."""
    return [tuple(match["codes"]) for match in document(capsys, *words, status=status)["matches"]]


def refused(capsys, *words):
    assert main(["identify", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removesuffix("\n")


def test_identify_prints_the_sentence_the_table_and_the_fix(capsys):
    """13.8 nats over all 15 positions."""
    assert (
        printed(capsys, "golden", "0.92000")
        == """\
Golden batch: many conventions, all different
3 sequences × 5 timesteps × 6 classes, mask: lengths, printed: 0.92000

0.92000 is the sum of the losses divided by all 15 positions, 4 of them padding. Keras 3, Keras 2, TensorFlow 1 and
others print this.

rank  code  kind         value  difference  title
   1  C05   convention  0.9200           0  Keras 3 with sample_weight

C05: Your loop divides by all 15 positions, 4 of them padding.
The same number on this batch: C17, PAD02, RED06, RED08

TensorFlow:
    weights = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    loss = loss_fn(targets, logits, sample_weight=weights)

PyTorch:
    weights = (torch.arange(targets.shape[1], device=lengths.device) < lengths[:, None]).float()
    loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()

JAX:
    weights = (jnp.arange(targets.shape[1]) < lengths[:, None]).astype(jnp.float32)
    loss = jnp.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()
"""
    )


def test_identify_without_an_answer_says_what_to_check_and_the_nearest(capsys):
    assert (
        printed(capsys, "golden", "77.123456", status=1)
        == """\
Golden batch: many conventions, all different
3 sequences × 5 timesteps × 6 classes, mask: lengths, printed: 77.123456

No formula that lossviz knows gives 77.123456 on this batch. Check that the number is for this batch alone and not a
running mean, that dropout was off, that nothing was added to the loss, and that it was printed before the optimiser
step.
The nearest is C02, Sum of everything, no mask: 14.5000, which is 62.6235 less.
If the loop accumulates gradients, trains in several processes, divides by a constant length, smooths labels, weighs
classes, prints bits per byte or adds a z-loss, say so: --accumulation-steps, --world-size, --max-length, --smoothing,
--class-weights, --bytes-per-token, --z-loss.
"""
    )


def test_identify_asks_nothing_of_a_loop_that_was_described(capsys):
    out = printed(capsys, "golden", "77.123456", "--world-size", "3", status=1)
    assert out.splitlines()[-1] == "The nearest is C02, Sum of everything, no mask: 14.5000, which is 62.6235 less."


def test_identify_takes_its_numbers_after_the_options(capsys):
    """As a person types them: 1.2633 is the mean of 6.8/5 and 7/6."""
    assert codes(capsys, "golden", "--accumulation-steps", "2", "1.2633")[0] == ("RED01",)
    found = document(capsys, "golden", "1.36", "--decimals", "2", "0.60", "2.30")
    assert found["batches"][0]["reported"] == ["1.36", "0.60", "2.30"]


@pytest.mark.parametrize("late", ["abc", "--foo", "1,2545"])
def test_identify_refuses_other_words_after_the_options(late, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["identify", "golden", "--decimals", "2", late])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"lossviz: error: unrecognized arguments: {late}\n")


def test_identify_names_combinations_and_chance(capsys):
    """The table has one line a match, with every code of a combination."""
    matches = identify(golden_batch(), "0.9")
    lines = printed(capsys, "golden", "0.9").splitlines()
    rows = lines[lines.index("", 4) + 2 :][: len(matches)]
    assert [row.split()[0] for row in rows] == [str(match.rank) for match in matches]
    for row, match in zip(rows, matches, strict=True):
        assert f" {' + '.join(match.codes)}  " in row
        assert row.endswith(" (perhaps by chance)") == match.accidental
    assert any(match.accidental for match in matches)


def test_identify_prints_json_of_a_fixed_shape(capsys):
    found = document(capsys, "golden", "0.9200", "--accumulation-steps", "2")
    matches = identify(golden_batch(), "0.9200", accumulation_steps=2)
    assert list(found) == ["batches", "options", "answer", "matches"]
    assert found["batches"] == [
        {
            "title": "Golden batch: many conventions, all different",
            "shape": [3, 5, 6],
            "mask": "lengths",
            "reported": "0.9200",
        }
    ]
    assert found["options"] == {
        "decimals": None,
        "accumulation_steps": 2,
        "world_size": None,
        "smoothing": None,
        "accuracy": None,
        "precision": "float32",
        "class_weights": None,
        "max_length": None,
        "bytes_per_token": None,
        "z_loss": None,
    }
    assert found["matches"] == tables.match_records(matches)
    assert [list(match) for match in found["matches"]] == [KEYS] * len(matches)


def test_identify_json_without_an_answer_keeps_its_shape(capsys):
    found = document(capsys, "golden", "77.123456", status=1)
    assert list(found) == ["batches", "options", "answer", "matches"]
    assert found["matches"] == []


def test_identify_json_holds_nan_as_a_string(tmp_path, capsys):
    write(Batch.from_arrays(logits=np.full((1, 2, 2), np.nan), targets=[[0, 1]]).fields(), tmp_path / "nan.npz")
    found = document(capsys, str(tmp_path / "nan.npz"), "nan")
    assert "NaN" in {match["value"] for match in found["matches"]}


def test_identify_reads_the_number_of_the_file(golden_file, capsys):
    assert printed(capsys, golden_file).splitlines()[1].endswith(", printed: 0.92000")
    assert codes(capsys, golden_file)[0] == ("C05",)


def test_identify_takes_the_number_of_the_command_before_that_of_the_file(golden_file, capsys):
    assert codes(capsys, golden_file, "1.25455")[0] == ("C03",)


@pytest.mark.parametrize(
    "words", [["1.36", "0.60", "2.30"], ["1.36,0.60,2.30"], ["1.36, 0.60,", "2.30"], ["[1.36 0.60 2.30]"]]
)
def test_identify_takes_one_number_a_sequence(words, capsys):
    """The row sums of golden over its lengths: 6.8/5, 2.4/4, 4.6/2."""
    found = document(capsys, "golden", *words)
    assert found["batches"][0]["reported"] == ["1.36", "0.60", "2.30"]
    assert found["matches"][0]["code"] == "C07"


def test_identify_keeps_what_explains_both_batches(capsys):
    """1.3333 is 12 ÷ 9 timesteps that count, as 1.2545 is 13.8 ÷ 11."""
    alone = codes(capsys, "golden", "0.9")
    both = codes(capsys, "golden", "0.9", "--and", "lengths-3-4-2", "1.0")  # 12 ÷ 12 positions
    assert both[0] == ("C05",)
    assert len(both) < len(alone)
    assert codes(capsys, "golden", "0.92", "--and", "lengths-3-4-2", "1.333333", status=1) == []
    out = printed(capsys, "golden", "1.2545", "--and", "lengths-3-4-2", "1.3333")
    assert out.splitlines()[:4] == [
        "Golden batch: many conventions, all different",
        "3 sequences × 5 timesteps × 6 classes, mask: lengths, printed: 1.2545",
        "Lengths 3, 4 and 2",
        "3 sequences × 4 timesteps × 5 classes, mask: lengths, printed: 1.3333",
    ]


def test_identify_takes_the_mask(capsys):
    """14.5 over all 15."""
    assert codes(capsys, "golden", "0.966667", "--mask", "none")[0][0] in ("C03", "C04")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["1.3517", "--smoothing", "0.1"], "LS1"),  # spec/conventions.md
        (["1.10625", "--class-weights", "1,1,2,3,1,1"], "C24"),  # 17.7 ÷ 16
        (["0.46", "--max-length", "10", "--decimals", "5"], "C17"),  # 13.8 ÷ (3 · 10)
    ],
)
def test_identify_passes_on_how_the_loop_is_set_up(words, first, capsys):
    assert codes(capsys, "golden", *words)[0][0] == first


@pytest.mark.parametrize("number", ["-1.5", "-1e-3", "-.5", "-inf", "nan", "-nan", "inf", "0", "1e-3"])
def test_identify_takes_any_number_for_one(number, capsys):
    """A sign is no option, wherever the number stands."""
    assert main(["identify", "golden", number, "--and", "golden", number]) in (0, 1)
    assert capsys.readouterr().err == ""
    assert parsers()[0].parse_args(["identify", "golden", number, "--json"]).number == [number]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["golden"],
            (
                "`NUMBER` is missing, and `golden` has no `reported`. "
                "Give what your loop printed, such as `lossviz identify batch.npz 1.2545`."
            ),
        ),
        (
            ["golden", "abc"],
            "`reported` must be a number as it was printed, such as '1.2545'; got 'abc'. Leave out units and words.",
        ),
        (
            ["golden", "1,2545"],
            (
                "`NUMBER` must have a decimal point, such as 1.2545; got `1,2545`. "
                "Two numbers have a space between them."
            ),
        ),
        (
            ["golden", "3", "4"],
            (
                "`reported` must be one number, 3 (one a sequence) or 5 (one a timestep); got 2. "
                "Print the loss of one batch at a time."
            ),
        ),
        (
            ["golden", "1", "--mask", "length"],
            (
                "`mask` must be one of 'lengths', 'weights', 'nonpad', 'ignore_id', 'none' or None; got 'length'. "
                "Did you mean 'lengths'?"
            ),
        ),
        (["golden", "1", "--smoothing", "2"], "`smoothing` must be from 0 up to, not including, 1; got 2.0."),
        (["nothing.npz", "1"], "There is no file `nothing.npz`."),
    ],
)
def test_identify_refuses_in_one_sentence(words, message, capsys):
    assert refused(capsys, *words) == f"lossviz: {message}"


def test_identify_refuses_class_weights_that_are_no_numbers(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["identify", "golden", "1", "--class-weights", "1,a"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("error: argument --class-weights: invalid numbers value: '1,a'\n")


def test_identify_keeps_titles_from_steering_the_terminal(tmp_path, capsys):
    batch = Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[0, 1]], title="\x1b]0;x\x07\n")
    write(batch.fields(), tmp_path / "title.npz")
    out = printed(capsys, str(tmp_path / "title.npz"), "0.6931")
    assert out.splitlines()[0] == r"\x1b]0;x\x07\n"
    assert "\x1b" not in out


def test_identify_asks_for_one_number_of_several_files(tmp_path, capsys):
    """As a person types them: two files and what the loop printed for both, their means averaged."""
    first, second = golden_batch(), golden_batch(lengths=[5, 2, 1])
    for name, batch in (("a.npz", first), ("b.npz", second)):
        write(batch.fields(), tmp_path / name)
    files = [str(tmp_path / name) for name in ("a.npz", "b.npz")]
    means = [float(analyze(batch).value) for batch in (first, second)]
    found = document(capsys, *files, f"{np.mean(means):.6f}")
    assert [batch["reported"] for batch in found["batches"]] == [f"{np.mean(means):.6f}"] * 2
    assert found["matches"][0]["code"] == "RED12"
    assert found["answer"].startswith(f"{np.mean(means):.6f}".rstrip("0"))
    each = document(capsys, *files, *(f"{mean:.6f}" for mean in means))
    assert each["matches"][0]["code"] == "C03"


def test_identify_refuses_numbers_that_are_neither_one_nor_one_for_each_file(tmp_path, capsys):
    write(golden_batch().fields(), tmp_path / "a.npz")
    file = str(tmp_path / "a.npz")
    assert main(["identify", file, file, file, "1.25", "1.26"]) == 2
    assert "must be one that was printed for all 3 files, or one for each; got 2" in capsys.readouterr().err
