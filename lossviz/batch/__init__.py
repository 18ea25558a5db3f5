"""A batch as it was trained on, and the one place where input is validated."""

from lossviz.batch._batch import Batch
from lossviz.batch._recorded import RECORDED

__all__ = ["RECORDED", "Batch"]
