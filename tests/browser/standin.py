"""A figure of the shape that the Explore page shows: three heatmaps on shared axes, and bars beside and below them."""

import numpy as np
import plotly.graph_objects as go

NAMES = ("batch loss", "mask", "unpadded loss")
DOMAINS = ((0.66, 1), (0.5, 0.62), (0.14, 0.46))


def figure(rows: int, columns: int, rev: int = 0, *, first: tuple[int, int] = (0, 0), text: str = "") -> go.Figure:
    """Heatmaps [rows, columns] whose cells are numbered from `first`; `rev` changes the numbers, not the shape."""
    random = np.random.default_rng(rev)
    b, t = np.arange(first[0], first[0] + rows), np.arange(first[1], first[1] + columns)
    loss = random.gamma(2.0, 1.0, (rows, columns)).astype("float32")
    mask = (t - first[1] < random.integers(columns // 2, columns + 1, (rows, 1))).astype("float32")
    picture = go.Figure()
    for index, (name, z) in enumerate(zip(NAMES, (loss, mask, loss * mask), strict=True)):
        _add_heatmap(picture, index, name, b, t, z, text)
    kept = loss * mask
    picture.add_bar(x=kept.sum(1), y=b, orientation="h", xaxis="x2", yaxis="y3", hoverinfo="skip")
    picture.add_bar(x=t, y=kept.sum(0), xaxis="x", yaxis="y4", hoverinfo="skip")
    return picture.update_layout(_layout(rev))


def _add_heatmap(
    picture: go.Figure, index: int, name: str, b: np.ndarray, t: np.ndarray, z: np.ndarray, text: str
) -> None:
    picture.add_heatmap(
        x=t,
        y=b,
        z=z,
        name=name,
        yaxis=f"y{index + 1}" if index else "y",
        meta={"select": True},
        showscale=False,
        colorscale="Blues",
        hovertemplate=f"{text}%{{y}}, %{{x}}: %{{z:.4f}}<extra></extra>",
    )


def _layout(rev: int) -> dict[str, object]:
    reversed_axes = {
        f"yaxis{index + 1 if index else ''}": {"domain": domain, "autorange": "reversed"}
        | ({"matches": "y"} if index else {})
        for index, domain in enumerate(DOMAINS)
    }
    return {
        **reversed_axes,
        "yaxis4": {"domain": [0, 0.1]},
        "xaxis": {"domain": [0, 0.88], "anchor": "y4", "side": "bottom"},
        "xaxis2": {"domain": [0.9, 1]},
        "height": 480,
        "margin": {"l": 60, "r": 10, "t": 30, "b": 30},
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "meta": {"rev": rev},
    }
