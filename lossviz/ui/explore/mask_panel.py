"""The mask as an array, as TensorFlow prints it: of booleans, of int32, of float32."""

import numpy as np
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.ui.session.link_checks import Links, is_flag, one_of
from lossviz.ui.session.state import default_widget

__all__ = ["LINKED", "mask_panel", "printed_mask"]

TYPES = ("bool", "int32", "float32")
LINKED: Links = {"mask_array": is_flag, "mask_type": one_of(TYPES)}
CUT = "As int32, weights lose what stands after the point; as booleans, all that is not 0 is True."


def mask_panel(analysis: Analysis) -> None:
    """Draw the folded panel."""
    with st.expander("The mask as an array", key="mask_array", on_change="rerun") as panel:
        if not panel.open:
            return
        default_widget("mask_type", TYPES[-1])
        chosen = st.segmented_control("Type", TYPES, key="mask_type", persist_state="session", required=True)
        st.code(printed_mask(analysis.weights, str(chosen)), language=None, wrap_lines=False)
        if not np.isin(analysis.weights, (0, 1)).all():
            st.caption(CUT)


def printed_mask(weights: np.ndarray, dtype: str) -> str:
    """Weights [B, T] as `print(tf.cast(mask, dtype))` shows them.

    >>> print(printed_mask(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), "int32"))
    tf.Tensor(
    [[1 1 0]
     [1 0 0]], shape=(2, 3), dtype=int32)
    """
    with np.errstate(invalid="ignore"):
        array = weights.astype(dtype)
    return f"tf.Tensor(\n{array}, shape={array.shape}, dtype={dtype})"
