import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import lossviz
from lossviz import Batch, tables, write
from lossviz.cli import main, reference
from lossviz.cli._parser import parsers
from lossviz.reductions import FLAGS
from lossviz.samples import SAMPLES
from lossviz.settings import FILE_VARIABLE
from lossviz.ui.server import content_policy
from tests.golden import FRACTIONAL, golden_batch

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture
def golden_file(tmp_path):
    path = tmp_path / "golden.npz"
    write(golden_batch().fields(), path)
    return str(path)


P = "perplexity 3.5062, "


def refused(capsys, *words):
    """The one sentence on stderr of a command that could not run."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removesuffix("\n")


def test_analyze_prints_the_number_its_divisor_and_the_sequences(golden_file, capsys):
    assert main(["analyze", golden_file]) == 0
    assert capsys.readouterr() == (
        """\
Golden batch
3 sequences × 5 timesteps × 6 classes, mask: lengths

1.2545 nats per timestep = 13.8000 ÷ 11 timesteps that count
perplexity 3.5062, 11 of 15 timesteps count, 27 % padding

 sequence length  counts weight  unpadded_loss  mean_loss  share
        0      5       5      5         6.8000     1.3600 0.4928
        1      4       4      4         2.4000     0.6000 0.1739
        2      2       2      2         4.6000     2.3000 0.3333
""",
        "",
    )


def test_analyze_follows_mask_and_reduction(golden_file, capsys):
    assert main(["analyze", golden_file, "--mask", "none", "--reduction", "encoder_decoder"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "3 sequences × 5 timesteps × 6 classes, mask: none"
    assert lines[3] == "4.8333 nats per sequence = 14.5000 ÷ 3 sequences in the batch"


def test_analyze_says_when_nothing_is_divided(golden_file, capsys):
    assert main(["analyze", golden_file, "--reduction", "language_model"]) == 0
    assert capsys.readouterr().out.splitlines()[3] == "13.8000 nats divided by nothing: the losses are summed"


def test_analyze_takes_one_logit_for_a_sigmoids(capsys):
    assert main(["analyze", "reviews-trained"]) == 0
    assert capsys.readouterr().out.splitlines()[3:5] == [
        "10.1513 nats divided by nothing: the losses are summed",
        "8 of 120 timesteps count, 20 % padding",
    ]
    assert main(["analyze", "reviews-trained", "--reduction", "mean"]) == 0
    assert capsys.readouterr().out.splitlines()[3] == "NaN nats per timestep = NaN ÷ 96 timesteps that count"


def test_analyze_takes_the_flags_of_sequence_loss(golden_file, capsys):
    assert main(["analyze", golden_file, "--no-average-across-batch"]) == 0
    assert capsys.readouterr().out.splitlines()[3:6] == [
        "3 numbers, each divided by: timesteps that count of each sequence",
        "1.3600, 0.6000, 2.3000",
        "11 of 15 timesteps count, 27 % padding",
    ]


def test_analyze_sums_where_the_flags_say_so(tmp_path, capsys):
    write(golden_batch(weights=FRACTIONAL).fields(), tmp_path / "w.npz")
    averages = [f"--no-{flag.replace('_', '-')}" for flag in FLAGS[:2]]
    sums = [f"--{flag.replace('_', '-')}" for flag in FLAGS[2:]]
    assert main(["analyze", str(tmp_path / "w.npz"), *averages, *sums]) == 0
    line = "1.0318 nats per timestep = 11.3500 ÷ 11 timesteps with a weight other than 0"
    assert capsys.readouterr().out.splitlines()[3] == line


@pytest.mark.parametrize(
    ("words", "line", "below"),
    [
        (
            ["--reduction", "sequence_means"],
            "1.4200 nats (mean of means) = 4.2600 ÷ 3 sequences, each by its own mean",
            "",
        ),
        (
            ["--accumulation-steps", "2"],
            "1.6611 nats (mean of means) = 3.3222 ÷ 2 micro-batches, each by its own mean",
            "",
        ),
        (["--max-length", "10"], "0.4600 nats = 13.8000 ÷ 30 positions, L_max in each sequence", ""),
        (["--reduction", "max_length"], "0.9200 nats = 13.8000 ÷ 15 positions, L_max in each sequence", ""),
        (["--reduction", "counted"], "1.2545 nats per timestep = 13.8000 ÷ 11 timesteps with a weight other than 0", P),
        (
            ["--reduction", "timestep_means_sum"],
            "5.6500 nats divided by nothing: the means of the timesteps are summed",
            "",
        ),
    ],
)
def test_analyze_divides_as_other_libraries_do(words, line, below, golden_file, capsys):
    assert main(["analyze", golden_file, *words]) == 0
    assert capsys.readouterr().out.splitlines()[3:5] == [line, f"{below}11 of 15 timesteps count, 27 % padding"]


def test_analyze_json_holds_the_options_of_the_reduction(golden_file, capsys):
    assert main(["analyze", golden_file, "--json", "--accumulation-steps", "2"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["settings"]["reduction"], document["settings"]["accumulation_steps"]) == ("micro_batch_means", 2)
    assert (round(document["numerator"], 4), document["divisor"]) == (3.3222, 2.0)
    assert document["divisor_counts"] == "micro-batches, each by its own mean"


def test_analyze_shows_the_first_dozen_of_many_numbers(tmp_path, capsys):
    batch = Batch.from_arrays(logits=np.zeros((14, 1, 2)), targets=np.zeros((14, 1), int))
    write(batch.fields(), tmp_path / "many.npz")
    assert main(["analyze", str(tmp_path / "many.npz"), "--no-average-across-batch"]) == 0
    assert capsys.readouterr().out.splitlines()[4] == "0.6931, " * 12 + "…"


def test_analyze_prints_the_problems_in_words(tmp_path, capsys):
    write(Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[0, 7]]).fields(), tmp_path / "bad.npz")
    assert main(["analyze", str(tmp_path / "bad.npz")]) == 0
    assert capsys.readouterr().out.splitlines()[:7] == [
        "bad.npz",
        "1 sequence × 2 timesteps × 2 classes, mask: none",
        "",
        "NaN nats per timestep = NaN ÷ 2 timesteps that count",
        "perplexity NaN, 2 of 2 timesteps count, 0 % padding",
        "",
        (
            "- 1 target is not a class from 0 to 1: 7 (once), first at sequence 0, timestep 1. "
            "1 of these timesteps counts, so the number is NaN."
        ),
    ]


def test_analyze_prints_the_timesteps(golden_file, capsys):
    assert main(["analyze", golden_file, "--table", "timesteps"]) == 0
    lines = capsys.readouterr().out.splitlines()
    headers = list(tables.timesteps_table(lossviz.analyze(golden_batch())).columns)
    assert (lines[6].split(), len(lines)) == (headers, 22)


def test_analyze_prints_the_reductions_and_why_one_does_not_fit(golden_file, capsys):
    assert main(["analyze", golden_file, "--table", "reductions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines[6:12]] == [
        ["name", "value", "numerator", "divisor"],
        ["mean", "1.2545", "13.8000", "11"],
        ["language_model", "13.8000", "13.8000", "1"],
        ["encoder_decoder", "4.6000", "13.8000", "3"],
        ["classification", "NaN", "NaN", "NaN"],
        ["sequence_loss", "1.2545", "13.8000", "11"],
    ]
    assert lines[13].startswith("classification: `reduction='classification'` needs one sigmoid logit per timestep")


def test_analyze_prints_json_of_a_fixed_shape(golden_file, capsys):
    assert main(["analyze", golden_file, "--json"]) == 0
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    analysis = lossviz.analyze(golden_batch())
    assert document == tables.summary(analysis) | {"sequences": tables.records(tables.sequences_table(analysis))}
    assert list(document) == [
        *("title", "reported", "shape", "counts", "mask", "settings", "value", "numerator", "divisor"),
        *("divisor_counts", "problems", "sequences"),
    ]
    assert (round(document["value"], 4), document["divisor"]) == (1.2545, 11.0)
    assert list(document["sequences"][0]) == [
        *("sequence", "length", "counts", "weight", "unpadded_loss", "mean_loss", "share")
    ]


def test_analyze_json_holds_nan_as_a_string(tmp_path, capsys):
    write(Batch.from_arrays(logits=np.full((1, 1, 2), np.nan), targets=[[0]]).fields(), tmp_path / "nan.npz")
    assert main(["analyze", str(tmp_path / "nan.npz"), "--json", "--table", "timesteps"]) == 0
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (document["value"], document["timesteps"][0]["batch_loss"]) == ("NaN", "NaN")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_analyze_opens_every_sample(sample, capsys):
    assert main(["analyze", sample.name]) == 0
    assert capsys.readouterr().out.splitlines()[0] == sample.title


def test_analyze_maps_names(tmp_path, capsys):
    batch = golden_batch()
    np.savez(tmp_path / "run.npz", output=batch.logits, labels=batch.targets)
    words = ["analyze", str(tmp_path / "run.npz"), "--names", "logits=output", "targets=labels"]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[3].startswith("0.9667 nats per timestep = 14.5000 ÷ 15")


def test_analyze_says_which_names_it_took(tmp_path, capsys):
    batch = golden_batch()
    np.savez(tmp_path / "run.npz", output=batch.logits, labels=batch.targets)
    assert main(["analyze", str(tmp_path / "run.npz")]) == 0
    assert capsys.readouterr().out.splitlines()[2:4] == [
        "read as Other names: output holds the logits",
        "to change that: --names logits=…",
    ]


def test_analyze_refuses_a_file_without_logits(tmp_path, capsys):
    np.savez(tmp_path / "run.npz", ids=np.zeros((2, 3), int))
    assert refused(capsys, "analyze", str(tmp_path / "run.npz")) == (
        "lossviz: The file holds `ids` (2, 3); looked for `logits` and `targets`. Pass `names=` to say which is which. "
        "On the command line: `--names logits=… targets=…`."
    )


def test_analyze_leaves_look_alikes_out_on_request(tmp_path, capsys):
    batch = golden_batch()
    np.savez(tmp_path / "run.npz", logits=batch.logits, targets=batch.targets, mask=np.ones((3, 5)))
    assert main(["analyze", str(tmp_path / "run.npz")]) == 0
    assert "read as Other names: mask weighs the loss" in capsys.readouterr().out
    assert main(["analyze", str(tmp_path / "run.npz"), "--names"]) == 0
    assert "mask: none" in capsys.readouterr().out


def test_analyze_keeps_tokens_and_titles_from_steering_the_terminal(tmp_path, capsys):
    words = ["\x1b[2J", "b" * 10_000]
    batch = Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[0, 1]], vocabulary=words, title="\x1b]0;x\x07\n")
    write(batch.fields(), tmp_path / "tokens.npz")
    assert main(["analyze", str(tmp_path / "tokens.npz"), "--table", "timesteps"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"[^\n[:print:]]|\x1b|\x07".replace("[:print:]", "\x20-\U0010ffff"), out) is None
    assert out.splitlines()[0] == r"\x1b]0;x\x07\n"
    assert r"\x1b[2J" in out
    assert "b" * 39 + "…" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gold"], "There is no sample `gold`. Did you mean `golden`? There are alice-kept-out, "),
        (["nothing.npz"], "There is no file `nothing.npz`."),
        (["golden", "--mask", "weights"], "`mask='weights'` needs `weights`, which this batch does not have. "),
        (
            ["golden", "--mask", "length"],
            (
                "`mask` must be one of 'lengths', 'weights', 'nonpad', 'ignore_id', 'none' or None; got 'length'. "
                "Did you mean 'lengths'?"
            ),
        ),
        (
            ["golden", "--sum-over-batch", "--no-average-across-batch"],
            "`average_across_timesteps` and `sum_over_batch` cannot both be True because of ambiguous order: ",
        ),
        (
            ["golden", "--reduction", "mean", "--sum-over-batch"],
            (
                "`--sum-over-batch` can be given with `--reduction sequence_loss` only; got `--reduction mean`. "
                "Leave one of them out."
            ),
        ),
        (
            ["golden", "--reduction", "mean", "--accumulation-steps", "2"],
            (
                "`--accumulation-steps` can be given with `--reduction micro_batch_means` only; "
                "got `--reduction mean`. Leave one of them out."
            ),
        ),
        (
            ["golden", "--accumulation-steps", "2", "--max-length", "5"],
            "`--accumulation-steps` can be given with `--reduction micro_batch_means` only; got ",
        ),
        (
            ["golden", "--reduction", "micro_batch_means"],
            (
                "`reduction='micro_batch_means'` needs `accumulation_steps`; got None. "
                "Say how many micro-batches the batch was cut into."
            ),
        ),
        (["golden", "--max-length", "0"], "`max_length` must be a whole number from 1 on; got 0."),
        (
            ["--names", "targets=y", "golden", "--", "golden"],
            "`--names` must be pairs such as targets=labels; got `golden`. Put FILE before `--names`.",
        ),
    ],
)
def test_analyze_refuses_in_one_sentence(words, message, capsys):
    assert refused(capsys, "analyze", *words).startswith(f"lossviz: {message}")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.npz", b"", "`empty.npz` is empty. Save or copy it again."),
        ("pickle.npz", b"\x80\x04.", "`pickle.npz` is not an .npz archive: it starts like a pickle. "),
        ("list.json", b"[1, 2]", "`list.json` holds a list; looked for an object with `logits` and `targets`"),
        ("notes.txt", b"hello", "`notes.txt` has the suffix `.txt`; "),
        (
            "ranks.json",
            b'{"logits": [0.5], "targets": [[1]]}',
            "`logits` must have rank 3, (sequences, timesteps, classes); got shape (1,). ",
        ),
    ],
)
def test_analyze_refuses_bad_files_in_one_sentence(name, content, message, tmp_path, capsys):
    (tmp_path / name).write_bytes(content)
    assert refused(capsys, "analyze", str(tmp_path / name)).startswith(f"lossviz: {message}")


def test_analyze_stopped_by_the_user_ends_with_130(monkeypatch, capsys):
    def stop(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("lossviz.cli._work.analyze", stop)
    assert main(["analyze", "golden"]) == 130
    assert capsys.readouterr() == ("", "lossviz: stopped\n")


def test_analyze_of_too_large_a_batch_says_so(monkeypatch, capsys):
    def fail(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr("lossviz.cli._work.analyze", fail)
    assert refused(capsys, "analyze", "golden") == "lossviz: there is not enough memory for this batch."


def test_analyze_shows_progress_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["analyze", "golden"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Golden batch")
    assert err.startswith("lossviz: loading TensorFlow\r\x1b[K")
    assert err.endswith("\r\x1b[K")


def test_commands_without_words_are_refused_with_the_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: lossviz")


def test_samples_lists_each_with_its_lesson(capsys):
    assert main(["samples"]) == 0
    out = capsys.readouterr().out
    listed = {words[0]: words[1] for line in out.splitlines() if len(words := line.split(maxsplit=1)) == 2}
    assert {sample.name: sample.lesson for sample in SAMPLES}.items() <= listed.items()


def test_version_is_printed_by_the_command_and_by_the_module():
    for words in ([str(Path(sys.executable).parent / "lossviz")], [sys.executable, "-m", "lossviz"]):
        run = subprocess.run([*words, "--version"], capture_output=True, text=True, check=True)
        assert (run.stdout, run.stderr) == (f"lossviz {lossviz.__version__}\n", "")


def test_main_as_a_process_reads_a_file_and_keeps_stderr_clean(golden_file):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "lossviz", "analyze", golden_file]
    run = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.splitlines()[3] == r"1.2545 nats per timestep = 13.8000 \xf7 11 timesteps that count"
    assert run.stderr == ""


def test_main_stays_quiet_when_its_reader_goes_away():
    words = f"{sys.executable} -m lossviz samples"
    run = subprocess.run(f"{words} | {sys.executable} -c pass", shell=True, capture_output=True, text=True)  # noqa: S602
    assert run.stderr == ""


def test_reference_names_every_argument_of_every_command():
    text = reference()
    for name, parser in parsers()[1].items():
        assert f"## `lossviz {name}`" in text
        for option in [option for action in parser._actions for option in action.option_strings]:
            assert option in ("-h", "--help") or f"`{option}" in text
            assert option in ("-h", "--help") or not option.startswith("-h")


def test_reference_is_what_the_documentation_holds():
    assert f"\n{reference()}\n" in (CHECKOUT / "docs" / "commands.md").read_text("utf-8")


def test_reference_names_examples_that_parse():
    lines = [line for line in reference().splitlines() if line.startswith("lossviz ")]
    assert len(lines) == 35
    for line in lines:
        parsers()[0].parse_args(line.split()[1:])


def started(monkeypatch, *words):
    """What `lossviz app` would start Streamlit with, as its arguments and options."""
    monkeypatch.setenv(FILE_VARIABLE, "")  # so that what the command sets is gone after the test
    monkeypatch.delenv(FILE_VARIABLE)
    calls = []
    monkeypatch.setattr("lossviz.ui.server.serve", lambda *given: calls.append(given))
    assert main(["app", *words]) == 0
    [given] = calls
    return given


def test_app_starts_streamlit_with_every_option_of_the_configuration(monkeypatch):
    script, options, _ = started(monkeypatch)
    assert script.is_file()
    configuration = tomllib.loads((CHECKOUT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert options == {
        **dict(leaves(configuration)),
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        "server.address": "127.0.0.1",
        "server.showEmailPrompt": False,
    }
    assert {"theme.light.primaryColor", "theme.dark.primaryColor", "server.maxUploadSize"} <= set(options)


def leaves(options, prefix=""):
    """Each option of nested tables under its dotted name."""
    for name, value in options.items():
        yield from leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)]


def test_app_hands_over_an_absolute_path(monkeypatch, golden_file):
    monkeypatch.chdir(Path(golden_file).parent)
    started(monkeypatch, "golden.npz", "--no-browser")
    assert Path(os.environ[FILE_VARIABLE]) == Path(golden_file).resolve()


def test_app_opens_a_sample_by_its_name(monkeypatch):
    started(monkeypatch, "golden")
    assert Path(os.environ[FILE_VARIABLE]).name == "golden.json"


def test_app_opens_recorded_runs_beside_files(monkeypatch, golden_file, tmp_path):
    with lossviz.Recorder(tmp_path / "run", every=1) as recorder:
        recorder.step(step=0, targets=[[1]], losses=[[0.5]])
    monkeypatch.chdir(tmp_path)
    started(monkeypatch, golden_file, "run")
    assert os.environ[FILE_VARIABLE].splitlines() == [str(Path(golden_file).resolve()), str(tmp_path.resolve() / "run")]


def test_app_keeps_the_browser_closed_and_says_the_port_that_was_bound(monkeypatch, capsys):
    _, options, announce = started(monkeypatch, "--no-browser")
    assert options["server.headless"] is True
    announce(8507)
    assert capsys.readouterr().err == "lossviz is running at http://127.0.0.1:8507 (Ctrl-C stops it).\n"


def test_app_refuses_a_port_that_is_taken(capsys):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        message = f"lossviz: Port {port} is taken. Leave `--port` out to get a free one."
        assert refused(capsys, "app", "--port", str(port)) == message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "70000"], "`--port` must be from 1 to 65535; got 70000."),
        (["gold"], "There is no sample `gold`. Did you mean `golden`? There are alice-kept-out, "),
        (["batch.xlsx"], "`batch.xlsx` has the suffix `.xlsx`; "),
    ],
)
def test_app_refuses_in_one_sentence_before_it_starts(words, message, capsys):
    assert refused(capsys, "app", *words).startswith(f"lossviz: {message}")


def test_app_refuses_a_file_that_is_not_there(tmp_path, capsys):
    path = tmp_path / "nothing.npz"
    assert refused(capsys, "app", str(path)) == f"lossviz: There is no file `{path}`."


def test_app_puts_no_module_in_front_of_the_standard_library(monkeypatch):
    """Streamlit puts the folder of the script first on `sys.path`."""
    script, *_ = started(monkeypatch)
    beside = {path.stem for path in script.parent.glob("*.py")}
    assert beside & sys.stdlib_module_names == set()


def test_two_apps_answer_at_two_ports_until_ctrl_c():
    """Started at once, each says the port that it has bound; its pages come with the policy."""
    words = [sys.executable, "-m", "lossviz", "app", "golden", "--no-browser"]
    apps = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        said = [app.stderr.readline() for app in apps]
        for line in said:
            with urllib.request.urlopen(line.split()[4], timeout=60) as page:  # noqa: S310 (our own server)
                assert page.headers["content-security-policy"] == content_policy()
    finally:
        for app in apps:
            app.send_signal(signal.SIGINT)
        ends = [(*app.communicate(timeout=60), app.returncode) for app in apps]
    assert ends == [("", "", 0)] * 2
    assert len({*said}) == 2
    assert all(
        re.fullmatch(r"lossviz is running at http://127\.0\.0\.1:\d+ \(Ctrl-C stops it\)\.\n", line) for line in said
    )


def test_analyze_prints_no_escape_of_a_path(capsys):
    assert refused(capsys, "analyze", "a\0\x1b[31m.npz") == "lossviz: There is no file `a\\x00\\x1b[31m.npz`."
