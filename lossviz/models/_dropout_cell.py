"""The cell that the stacked LSTMs are made of: an LSTM cell, and the dropout on what it gives out."""

from functools import cached_property
from typing import Any

import keras

__all__ = ["DropoutCell"]


class DropoutCell(keras.layers.Layer):  # type: ignore[misc]
    """An LSTM cell whose output, not its state, is dropped in training, as TensorFlow 1's `DropoutWrapper` has it.

    Args:
        cell: what reads one timestep.
        output_keep_prob: how much of the output is kept; what is kept is divided by it.
        dropout: the layer that drops; by default a new one, made when it is first asked for.

    >>> DropoutCell(keras.layers.LSTMCell(4), output_keep_prob=0.5).state_size
    [4, 4]
    """

    def __init__(self, cell: Any, output_keep_prob: float, dropout: Any = None) -> None:
        super().__init__()
        self.cell, self.output_keep_prob, self._given = cell, output_keep_prob, dropout
        self.state_size, self.output_size = cell.state_size, cell.output_size

    @cached_property
    def dropout(self) -> Any:
        """The layer that drops, seeded when it is first asked for."""
        return self._given or keras.layers.Dropout(1 - self.output_keep_prob)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        """The output [B, H] of one timestep, dropped in training, and the states after it."""
        outputs, states = self.cell(inputs, states, training=training)
        return self.dropout(outputs, training=training), states

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """The states before the first timestep: zeros [B, H]."""
        return self.cell.get_initial_state(batch_size)
