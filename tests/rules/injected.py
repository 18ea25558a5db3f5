"""What an injector of a bug gives back."""

from typing import NamedTuple

import numpy as np

from lossviz import Batch


class Injected(NamedTuple):
    """A batch with a bug, and the timesteps that a finding should show; None where any will do."""

    batch: Batch
    cells: np.ndarray | None
