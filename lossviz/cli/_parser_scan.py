"""The arguments of `lossviz scan`, and their help."""

import argparse

from lossviz.cli._options import add_layout, add_names

__all__ = ["SCAN", "add_scan"]

SCAN = """\
Write the loss of every timestep of a corpus to a run, with one step and one shard per file; then run the doctor's rules
on it, and print its number, its tokens and its worst files. Files hold logits or losses; with `--model` they hold
tokens, which the model reads. The same command again goes on where it was stopped: what is finished is kept, a file
that changed is read again. A bad file is left out, with a sentence. The exit status is 0 when all files are in the run,
2 when one is not, 130 when it was stopped.

lossviz scan batches/*.npz --out run/
lossviz scan "tokens/*.parquet" --model model.keras --out run/
lossviz scan tokens/*.npy --model my_model:logits --batch-size 8 --out run/
lossviz scan batches/*.npz --engine dask --workers 4 --out run/
lossviz scan batches/*.npz --engine tcp://10.0.0.1:8786 --out /shared/run
lossviz scan run/ --model checkpoint.keras --out again/"""


def add_scan(parser: argparse.ArgumentParser) -> None:
    """The arguments of `lossviz scan`."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="recorded batches of any format, recorded runs, files of tokens; or a pattern in quotes",
    )
    parser.add_argument("--out", metavar="DIR", default="run", help="the folder of the run (run)")
    parser.add_argument(
        "--model", metavar="MODEL", help="a .keras file, or a Python function module:function, inputs to logits"
    )
    parser.add_argument(
        "--batch-size", type=int, default=32, metavar="N", help="sequences that MODEL reads at once (32)"
    )
    parser.add_argument(
        "--engine",
        default="local",
        metavar="ENGINE",
        help="local (this process), dask (processes on this machine), or the address of a Dask scheduler, "
        "tcp://HOST:PORT (local)",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="with `--engine dask`: how many processes (one per core)"
    )
    parser.add_argument(
        "--keep-logits", action="store_true", help="keep small logits too, which most rules need (losses alone)"
    )
    parser.add_argument("--no-check", action="store_true", help="don't run the rules at the end")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_names(parser)
    add_layout(parser)
