"""Texts as the sequences of a language model: ids 0 to 3 are padding, unknown, start and stop, tokens come after."""

from collections.abc import Sequence

import numpy as np

from lossviz.errors import InputError
from lossviz.models._training import Tokenizer, learn_tokens, pad_rows

__all__ = ["BOS_ID", "EOS_ID", "PAD_ID", "UNK_ID", "Texts", "learn"]

PAD_ID, UNK_ID, BOS_ID, EOS_ID = range(4)
SPECIAL = ["<bos>", "<eos>"]


class Texts:
    """The tokenizer of a language model.

    Args:
        tokens: the tokens from id 4 on, V - 4 at most.
        split: "words" or "characters".
        vocab_size: V; ids without a token are called `<spare-9>`.

    Raises:
        InputError: if there are more tokens than ids.

    >>> texts = Texts(["the", "cat"], "words", 6)
    >>> [array.tolist() for array in texts.sequences(["The cat.", "the dog"], 9)]
    [[[2, 4, 5], [2, 4, 1]], [[4, 5, 3], [4, 1, 3]]]
    """

    def __init__(self, tokens: Sequence[str], split: str, vocab_size: int) -> None:
        if len(tokens) > vocab_size - 4:
            raise InputError(
                f"`tokens` must be at most {vocab_size - 4}, `vocab_size` without padding, unknown, start and stop; "
                f"got {len(tokens)}. Pass fewer, or make the model with `vocab_size={len(tokens) + 4}`."
            )
        self.tokens = list(tokens)
        spare = [f"<spare-{index}>" for index in range(len(tokens) + 4, vocab_size)]
        self.tokenizer = Tokenizer([*SPECIAL, *tokens, *spare], split)

    @property
    def vocabulary(self) -> list[str]:
        """V names for screens, in the order of the ids; a space is shown as ␣."""
        return [token.replace(" ", "␣") for token in self.tokenizer.vocabulary]

    def sequences(self, texts: Sequence[str], max_length: int, name: str = "texts") -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets [B, T]: `<bos> a b` must predict `a b <eos>`; the rest is 0.

        Raises:
            InputError: if there is no text, or one has more than `max_length` - 1 tokens.
        """
        if isinstance(texts, str) or not len(texts):
            raise InputError(f"`{name}` must be a list of at least one string; got {texts!r}.")
        rows = self.tokenizer.ids(texts)
        for index, row in enumerate(rows):
            if len(row) >= max_length:
                raise InputError(
                    f"`{name}[{index}]` must have at most {max_length - 1} tokens, since the model reads {max_length} "
                    f"timesteps and one is the start; got {len(row)}. Cut it into two texts."
                )
        return pad_rows([[BOS_ID, *row] for row in rows]), pad_rows([[*row, EOS_ID] for row in rows])


def learn(corpus: Sequence[str], split: str, vocab_size: int) -> Texts:
    """The most frequent tokens of a corpus, as many as there are ids for."""
    return Texts(learn_tokens(corpus, split, max(vocab_size - 4, 0)), split, vocab_size)
