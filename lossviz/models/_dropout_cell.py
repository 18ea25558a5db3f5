"""The cell of the stacked LSTMs: an LSTM cell with dropout on its output."""

from functools import cached_property
from typing import Any

import keras

__all__ = ["DropoutCell"]


class DropoutCell(keras.layers.Layer):  # type: ignore[misc]
    """An LSTM cell with dropout on its output, not its state, in training, like TensorFlow 1's `DropoutWrapper`.

    Args:
        cell: the cell that reads one timestep.
        output_keep_prob: how much of the output is kept; what is kept is divided by it.
        dropout: the dropout layer; by default a new one, made when it is first asked for.

    >>> DropoutCell(keras.layers.LSTMCell(4), output_keep_prob=0.5).state_size
    [4, 4]
    """

    def __init__(self, cell: Any, output_keep_prob: float, dropout: Any = None) -> None:
        super().__init__()
        self.cell, self.output_keep_prob, self._given = cell, output_keep_prob, dropout
        self.state_size, self.output_size = cell.state_size, cell.output_size

    @cached_property
    def dropout(self) -> Any:
        """The dropout layer, seeded when it is first asked for."""
        return self._given or keras.layers.Dropout(1 - self.output_keep_prob)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """The output [B, H] of one timestep, with dropout in training, and the states after it."""
        outputs, states = self.cell(inputs, states, training=training)
        return self.dropout(outputs, training=training), states

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """The states before the first timestep: zeros [B, H]."""
        return self.cell.get_initial_state(batch_size)
