"""What `plot` sends to the browser and what it makes of the browser's answer, without a browser."""

import json
import struct
from typing import Any

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from lossviz.ui.shared.plot import plot, selected_cell


def kept_page() -> None:
    import plotly.graph_objects as go
    import streamlit as st

    from lossviz.ui.shared.plot import kept_picture, plot
    from tests.browser.standin import figure

    rev, x = st.session_state["rev"], st.session_state["x"]

    def draw() -> go.Figure:
        st.text(f"drawn {rev}")
        return figure(2, 3, rev)

    line = {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1}
    plot(kept_picture("grid", (rev,), draw), key="grid", label="Loss", shapes=[line])


def page(cell: tuple[int, int] | None, early: bool = False) -> None:
    import streamlit as st

    from lossviz.ui.shared.plot import plot, selected_cell
    from tests.browser.standin import figure

    if early:
        cell = selected_cell("grid", cell)
        st.text(f"early {cell}")
    st.text(str(plot(figure(2, 3), key="grid", cell=cell, label="Loss")))


def run(cell: tuple[int, int] | None = None, *, early: bool = False) -> AppTest:
    app = AppTest.from_function(page, kwargs={"cell": cell, "early": early}, default_timeout=30).run()
    assert not app.exception
    return app


def click(app: AppTest, cell: Any, number: Any) -> AppTest:
    """What the browser sends for a user's move."""
    app.session_state["grid"] = {"event": {"cell": cell, "number": number}}
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> list[str]:
    return [text.value for text in app.text]


def sent(app: AppTest) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the figure that the component got."""
    data = app.get("bidi_component")[0].proto.bytes
    (length,) = struct.unpack("<I", data[:4])
    return json.loads(data[4 : 4 + length]), json.loads(data[4 + length :])


def test_plot_returns_the_cell_of_the_app_until_the_user_moves() -> None:
    app = run((1, 2))
    assert texts(app) == ["(1, 2)"]
    assert texts(click(app, [0, 1], 5)) == ["(0, 1)"]


def test_plot_takes_each_event_once() -> None:
    """An event that was taken says nothing more: here the app keeps (1, 2), whatever was clicked before."""
    app = click(run((1, 2)), [0, 1], 5)
    app.run()
    assert texts(app) == ["(1, 2)"]
    assert texts(click(app, [0, 1], 6)) == ["(0, 1)"]


def test_plot_returns_none_when_the_user_clears_the_selection() -> None:
    assert texts(click(run((1, 2)), None, 5)) == ["None"]


@pytest.mark.parametrize("cell", [[1], [1, 2, 3], [1.5, 2], ["1", "2"], "12", {"b": 1}, [True, False], 7])
def test_plot_takes_nothing_but_two_integers_for_a_cell(cell: Any) -> None:
    assert texts(click(run((1, 2)), cell, 5)) == ["None"]


@pytest.mark.parametrize("number", [None, "5", 5.0, [5]])
def test_plot_ignores_events_without_a_number(number: Any) -> None:
    assert texts(click(run((1, 2)), [0, 1], number)) == ["(1, 2)"]


def test_selected_cell_is_known_before_the_plot() -> None:
    app = click(run((1, 2), early=True), [0, 1], 5)
    assert texts(app) == ["early (0, 1)", "(0, 1)"]


def test_plot_sends_the_selection_with_the_number_it_has_seen() -> None:
    app = run((1, 2))
    header, _ = sent(app)
    assert (header["cell"], header["seen"]) == ([1, 2], 0)
    header, _ = sent(click(app, [0, 1], 5))
    assert (header["cell"], header["seen"]) == ([0, 1], 5)


def test_plot_sends_the_figure_and_what_names_it() -> None:
    header, figure = sent(run())
    assert {name: header[name] for name in ("name", "label", "height", "selectable", "extent")} == {
        "name": "grid",
        "label": "Loss",
        "height": 480,
        "selectable": True,
        "extent": "0 to 1 x 0 to 2",
    }
    assert header["library"].startswith("/_stcore/bidi-components/lossviz.plotly/plotly.min.js?v=")
    assert [trace["type"] for trace in figure["data"]] == ["heatmap", "heatmap", "heatmap", "bar", "bar"]


def test_plot_of_the_same_numbers_has_the_same_digest() -> None:
    """By the digest the browser knows that there is nothing to draw."""
    assert sent(run())[0]["digest"] == sent(run((1, 1)))[0]["digest"]


def test_kept_picture_is_drawn_once_while_its_shapes_move() -> None:
    """The same digest tells the browser that only the shapes are to be moved; of other things a new one is drawn."""
    app, seen, digests = AppTest.from_function(kept_page, default_timeout=30), [], []
    for rev, x in ((1, 4), (1, 7), (2, 7)):
        app.session_state["rev"], app.session_state["x"] = rev, x
        header, figure = sent(app.run())
        seen.append((texts(app), [shape["x0"] for shape in header["shapes"]]))
        assert "shapes" not in figure["layout"]
        digests.append(header["digest"])
    assert seen == [(["drawn 1"], [4]), ([], [7]), (["drawn 2"], [7])]
    assert (digests[0] == digests[1], digests[1] == digests[2]) == (True, False)


def test_plot_without_a_browser_or_a_server_returns_the_cell() -> None:
    assert plot(go.Figure(), key="bare", cell=(3, 4), label="Nothing") == (3, 4)
    assert selected_cell("bare", None) is None
