"""What a person does and sees, for the tests that run the app without a browser."""

import json
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from lossviz.ui.shared import findings_badge
from lossviz.ui.shared.widgets import BROKEN

findings_badge.PATIENCE = 60  # a loaded machine is slow, not wrong
# Every AppTest looks for components in the metadata of all installed packages: longer than a page takes.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "lossviz" / "cli" / "_start.py"
SECONDS = 120


def open_app(**query: str) -> AppTest:
    """The app as a fresh tab shows it; fails if the page shows a traceback."""
    app = AppTest.from_file(str(SCRIPT), default_timeout=SECONDS)
    for name, value in query.items():
        app.query_params[name] = value
    return run(app)


def run(target: Any) -> AppTest:
    """Run the app, or what a widget of it was given."""
    app: AppTest = target.run()
    assert [error.value for error in app.exception] == []
    assert [error.value for error in app.error if BROKEN in error.value] == []
    return app


def door(app: AppTest, name: str) -> AppTest:
    app.session_state["door"] = name
    return run(app)


def sample(name: str) -> AppTest:
    return choose(open_app(), sample=name)


def key_of(app: AppTest, name: str) -> str:
    """The key under which the widget of that name is drawn now: an editor has a new one at every drawing."""
    editor = state(app).editors.drawn.get(name)
    return name if editor is None else str(editor.key)


def choose(app: AppTest, **choices: str) -> AppTest:
    """Choose in selectboxes, one after the other, by their names."""
    for name, value in choices.items():
        run(app.selectbox(key=key_of(app, name)).select(value))
    return app


def flags(app: AppTest, **values: bool) -> AppTest:
    for name, value in values.items():
        run(app.checkbox(key=key_of(app, f"flag_{name}")).set_value(value))
    return app


def fill(app: AppTest, **numbers: int | None) -> AppTest:
    """Type into number fields, by their names; None empties one."""
    for name, value in numbers.items():
        run(app.number_input(key=key_of(app, name)).set_value(value))
    return app


def select(app: AppTest, *cell: int) -> AppTest:
    """Select a cell, as the plot reports a click."""
    number = app.session_state["equation:seen"] + 1 if "equation:seen" in app.session_state else 1
    app.session_state["equation"] = {"event": {"cell": list(cell), "number": number}}
    return run(app)


def live(app: AppTest, key: str = "equation") -> Any:
    """What a picture of Explore may edit, and the numbers that it draws at once."""
    return header(app, key)["live"]


def header(app: AppTest, key: str) -> dict[str, Any]:
    """What goes to the browser beside a figure."""
    return _component(app, key)[0]


def steps(app: AppTest, *made: dict[str, Any]) -> AppTest:
    """Send steps that were made in the picture of Explore, as the browser does, which calls the callback."""
    from streamlit.proto.WidgetStates_pb2 import WidgetState

    element = next(node for node in nodes(app.main) if getattr(node, "key", None) == "equation")
    event = {"cell": None, "number": made[-1]["number"], "steps": list(made)}
    states = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=element.proto.id, json_value=json.dumps({"event": event})))
    app._run(states)
    assert [error.value for error in app.exception] == []
    return app


def unfold(app: AppTest, key: str) -> AppTest:
    """Open a folded panel: "rows", "save" or "code". A folded one draws nothing."""
    app.session_state[key] = True
    return run(app)


def edit_length(app: AppTest, row: int, length: float) -> AppTest:
    """Type a length into the table of sequences."""
    unfold(app, "rows")
    return edit_table(app, key_of(app, "lengths"), row, "length", length)


def edit_table(app: AppTest, key: str, row: int, column: str, value: Any) -> AppTest:
    # AppTest has no data_editor: this is what the browser sends for one cell, and Streamlit calls the callback.
    from streamlit.proto.WidgetStates_pb2 import WidgetState

    table = next(element for element in app.get("dataframe") if element.key == key)
    sent = json.dumps({"edited_rows": {str(row): {column: value}}, "added_rows": [], "deleted_rows": []})
    states = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=table.proto.id, string_value=sent))
    app._run(states)
    assert [error.value for error in app.exception] == []
    return app


def button(app: AppTest, name: str) -> Any:
    if name in ("undo", "redo", "reset"):
        return app.button(key=key_of(app, "history") + f":{name}")
    return app.button(key=key_of(app, name))


def click(app: AppTest, name: str) -> AppTest:
    return run(button(app, name).click())


def upload(app: AppTest, **files: bytes) -> AppTest:
    """Drop files; `batch_npz=` is the file batch.npz."""
    named = [(name.replace("_", ".").replace("..", "_"), data, "") for name, data in files.items()]
    return run(app.file_uploader(key="files").set_value(named))


def state(app: AppTest) -> Any:
    return app.session_state["lossviz"]


def shown(app: AppTest) -> Any:
    """The analysis on screen."""
    return state(app)._analysis


def number(app: AppTest) -> str:
    return str(metric(app, "explore_number").value)


def divisor(app: AppTest) -> tuple[str, str]:
    """What the number is divided by, and how many."""
    found = metric(app, "explore_divisor")
    return str(found.label), str(found.value)


def counting(app: AppTest) -> str:
    """How many timesteps count, of how many: "11 of 15"."""
    label, value = next(item for item in metrics(app).items() if item[0].startswith("Counted, of "))
    return f"{value} of {label.removeprefix('Counted, of ').removesuffix(' timesteps')}"


def metric(app: AppTest, key: str) -> Any:
    return next(node for node in nodes(container(app, key)) if node.type == "metric")


def metrics(app: AppTest) -> dict[str, str]:
    return {str(found.label): str(found.value) for found in app.metric}


def container(app: AppTest, key: str) -> Any:
    return next(node for tree in (app.main, app.sidebar) for node in nodes(tree) if getattr(node, "key", None) == key)


def nodes(tree: Any) -> Iterator[Any]:
    yield tree
    for child in getattr(tree, "children", {}).values():
        yield from nodes(child)


def texts(app: AppTest, *kinds: str) -> list[str]:
    """The sentences of these kinds, as a person reads them: without the backslashes and joiners that Markdown needs."""
    return [plain(str(found.value)) for kind in kinds for found in getattr(app, kind)]


def plain(markdown: str) -> str:
    out, marks = [], iter(markdown.replace("\u2060", ""))
    for mark in marks:
        out.append(next(marks, "") if mark == "\\" else mark)
    return "".join(out)


def picture(app: AppTest, key: str = "equation", tree: Any = None) -> dict[str, Any]:
    """The Plotly figure in the component, on the page or in another part of the app, such as `app.sidebar`."""
    return _component(app, key, tree)[1]


def _component(app: AppTest, key: str, tree: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the figure that the component of a plot got."""
    element = next(
        node
        for node in nodes(app.main if tree is None else tree)
        if getattr(node, "key", None) == key and hasattr(node, "proto")
    )
    data = element.proto.bytes
    size = struct.unpack("<I", data[:4])[0]
    return json.loads(data[4 : 4 + size]), json.loads(data[4 + size :])


def heatmaps(app: AppTest) -> list[np.ndarray]:
    """The three heatmaps' numbers."""
    return [decoded(trace["z"]) for trace in picture(app)["data"] if (trace.get("meta") or {}).get("select")]


def decoded(value: Any) -> np.ndarray:
    import base64

    if not isinstance(value, dict):
        return np.asarray(value, float)
    array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
    shape = [int(n) for n in str(value.get("shape", array.size)).split(",")]
    return array.reshape(shape)


def go(app: AppTest, title: str) -> AppTest:
    """Go to a page by the navigation, which leaves the view out of the address."""
    known = app._registered_pages
    app._page_hash = next(page for page, about in known.items() if about["page_name"] == title)
    app.query_params.clear()
    return run(app)


def open_page(name: str, **query: str) -> AppTest:
    """The app as a fresh tab shows it at /name."""
    app = AppTest.from_file(str(SCRIPT), default_timeout=SECONDS)
    app._page_hash = calc_hash(name)
    for key, value in query.items():
        app.query_params[key] = value
    return run(app)


def address(app: AppTest) -> str:
    """The view in the address."""
    word = app.query_params["view"]
    return plain(word if isinstance(word, str) else word[0])
