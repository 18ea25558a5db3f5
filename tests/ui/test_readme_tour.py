"""The README's tour follows the app word for word: what it quotes is on the screen at that moment."""

import re
from collections.abc import Callable
from pathlib import Path

from google.protobuf.text_format import MessageToString  # type: ignore[import-untyped]
from streamlit.testing.v1 import AppTest

from lossviz.ui.views import VIEWS
from tests.ui.driver import (
    choose,
    click,
    door,
    edit_length,
    flags,
    go,
    key_of,
    nodes,
    open_app,
    run,
    select,
)

README = Path(__file__).parents[2] / "README.md"
Act = Callable[[AppTest], AppTest]


def told() -> dict[int, str]:
    """The steps of the tour, by their numbers."""
    tour = README.read_text("utf-8").split("## A tour in 60 seconds")[1].split("\n## ")[0]
    steps = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", tour, re.DOTALL | re.MULTILINE)
    return {int(number): " ".join(text.split()) for number, text in steps}


def quoted(text: str) -> list[str]:
    """What a step says is on the screen: everything in italics or bold, and every number."""
    words = [one.strip("*") for one in re.findall(r"\*\*[^*]+\*\*|\*[^*]+\*", text)]
    return words + re.findall(r"\b\d+\.\d{2,}\b|\b\d{2,3}\b", re.sub(r"\*[^*]+\*", "", text))


def screen(app: AppTest) -> str:
    """Every word that the page shows, the texts of the pictures among them."""
    shown = [view.title for view in VIEWS]
    for node in (*nodes(app.main), *nodes(app.sidebar)):
        proto = getattr(node, "proto", None)
        if proto is None:
            continue
        shown.append(MessageToString(proto, as_utf8=True))
        if isinstance(getattr(proto, "bytes", None), bytes):
            shown.append(proto.bytes.decode("utf-8", "ignore"))
    return " ".join(shown).replace("\\", "").replace("\u2060", "")


def row_of_keras(app: AppTest) -> AppTest:
    """Choose it in the table of conventions: what a click on its row does."""
    app.session_state["convention"] = "C05"
    return run(app)


def printed(app: AppTest) -> AppTest:
    return run(app.text_input(key=key_of(app, "identify_number")).set_value("0.92"))


# What is done in each step; between any two of these, the screen is read.
ACTS: dict[int, tuple[Act, ...]] = {
    2: (),
    3: (lambda app: select(app, 2, 4),),
    4: (lambda app: choose(app, mask="none"),),
    5: (lambda app: flags(choose(app, reduction="sequence_loss"), sum_over_batch=True),),
    6: (lambda app: choose(app, reduction="mean"), lambda app: edit_length(app, 0, 3), lambda app: click(app, "undo")),
    7: (lambda app: go(app, "Reductions"), row_of_keras),
    8: (lambda app: go(choose(app, sample="golden", mask="declared"), "Identify"), printed),
    9: (
        lambda app: go(choose(app, sample="PAD12-ignore-id-mismatch/bad"), "Doctor"),
        lambda app: click(app, "apply_PAD12"),
    ),
    10: (lambda app: door(go(app, "Explore"), "Model"),),
    11: (lambda app: door(app, "Type"),),
    12: (),
}


def test_tour_quotes_what_is_on_the_screen() -> None:
    steps = told()
    assert [*steps] == [1, *ACTS]
    app = open_app()
    missing = {1: [words for words in quoted(steps[1]) if words not in screen(app)]}
    for number, acts in ACTS.items():
        seen = screen(app)
        for act in acts:
            app = act(app)
            seen += screen(app)
        missing[number] = [words for words in quoted(steps[number]) if words not in seen]
    assert {number: words for number, words in missing.items() if words} == {}
