"""Numbers of a loss that shifts inside: the logits of a timestep against the target of the next one."""

from typing import Any

from lossviz.conventions._convention import PADDING, ROWS, SCALE, Convention
from lossviz.conventions._make import custom, users
from lossviz.conventions._terms import Terms

__all__ = ["SHIFTED"]

FORMULA = r"\frac{\sum_{b,\,t<T-1} -w_{b,t+1} \log p_{bt}(y_{b,t+1})}{\sum_{b,\,t<T-1} w_{b,t+1}}"
COUNTS = "timesteps that count, each sequence's first left out"


def _numerator(terms: Terms, _: Any) -> float:
    return terms.total_of_next


def _divisor(terms: Terms, _: Any) -> float:
    return float(terms.weights[:, 1:].sum())


SHIFTED: tuple[Convention, ...] = (
    custom(
        "SH1",
        "Shifted inside, logits against the next target",
        users(("Hugging Face", "ForCausalLM, labels given unshifted", "transformers/loss/loss_utils.py")),
        (PADDING, ROWS, SCALE),
        formula=FORMULA,
        numerator=_numerator,
        divisor=_divisor,
        counts=COUNTS,
        group="weights",
        note="The batch's arrays are taken as the model's own, before the shift.",
        bugs=("SHF02",),
        first="compares each timestep's logits with the next target",
        searched_as=("SH1", "mean"),
    ),
    custom(
        "SH2",
        "OpenNMT-py translation, targets one further",
        users(("OpenNMT-py", "tgt_shift_index = 1", "onmt/utils/loss.py")),
        (PADDING, ROWS, SCALE),
        formula=FORMULA,
        numerator=_numerator,
        divisor=_divisor,
        counts=COUNTS,
        group="weights",
        note="Targets begin with the start token. Language models use tgt_shift_index = 0, which is C03.",
        bugs=("SHF02",),
        first="compares each timestep's logits with the next target",
        searched_as=("SH1", "mean"),
    ),
)
