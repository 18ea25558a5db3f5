"""Write every sample of lossviz: `python -m sample_data.make_samples`, the same bytes on every run of a machine.

The worked examples take a second; the recorded batches train their models first, for minutes, and print the figures of
docs/models.md.
`--worked` writes the worked examples only.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.formats import write
from sample_data import alice
from sample_data.worked import as_text, worked_examples

FOLDER = Path(__file__).parent
SMALL, LARGE = 14, alice.MAX_LENGTH
LARGE_ROWS = 64


def write_worked(folder: Path = FOLDER) -> None:
    """Write each worked example as a JSON file that can be read and checked by eye."""
    for name, fields in worked_examples().items():
        (folder / f"{name}.json").write_text(as_text(fields), encoding="utf-8", newline="\n")


def write_recorded(folder: Path = FOLDER) -> None:
    """Train each model, and record batches of it before and after."""
    import keras

    from sample_data import train_alice, train_dates, train_language_model, train_reviews, train_theatre

    train_alice.make_deterministic()
    sentences = [words for words in alice.sentences() if " ".join(words) not in alice.KEPT_OUT]
    shown, kept_out = ([line.split() for line in lines] for lines in (alice.SHOWN, alice.KEPT_OUT))
    model = train_alice.new_model()

    def record(name: str, rows: list[list[str]], width: int, dtype: Any = np.float32) -> None:
        fields = model.record_arrays(*alice.pad(rows, width), alice.vocabulary())
        fields = {**fields, "logits": fields["logits"].astype(dtype), "eos_id": alice.EOS}
        write(fields, folder / f"{name}.npz")

    record("alice-untrained", shown, SMALL)
    loss = train_alice.train(model, *alice.pad(sentences, LARGE), epochs=train_alice.EPOCHS)
    print(f"trained to {loss:.3f} nats a timestep, dropout on")
    record("alice-trained", shown, SMALL)
    record("alice-kept-out", shown[:4] + kept_out, SMALL)
    record("alice-trained-64", sentences[:LARGE_ROWS], LARGE, np.float16)
    for write_model in (
        train_dates.write_dates,
        train_language_model.write_language_model,
        train_reviews.write_reviews,
        train_theatre.write_theatre,
    ):
        keras.utils.clear_session(free_memory=False)  # else the names in a file would tell of models made before
        write_model(folder)


def main(arguments: list[str]) -> None:
    """Write the samples that the command line asks for."""
    write_worked()
    if "--worked" not in arguments:
        write_recorded()


if __name__ == "__main__":
    main(sys.argv[1:])
