"""The page Reductions, and what stays when the page changes."""

from lossviz.ui.views import VIEWS
from tests.ui.driver import address, choose, container, edit_length, go, number, open_page, sample, select, state


def test_views_are_named_once_and_ask_a_question() -> None:
    names = [view.name for view in VIEWS]
    assert names[:2] == ["explore", "reductions"]
    assert sorted(set(names)) == sorted(names)
    assert all(view.question.endswith("?") and view.title for view in VIEWS)


def test_page_change_keeps_batch_settings_edits_cell_and_quantity() -> None:
    """There and back nothing is lost, and the number is the same on both pages."""
    app = choose(sample("golden"), reduction="encoder_decoder", quantity="entropy")
    edit_length(app, 2, 1)
    select(app, 1, 3)
    shown = number(app)
    go(app, "Reductions")
    assert number(app) == shown == f"{13.2 / 3:.4f}"
    assert [box.key for box in app.selectbox if box.key == "quantity"] == []
    go(app, "Explore")
    assert number(app) == shown
    assert state(app).cell == (1, 3)
    assert len(state(app).source.edits) == 1
    assert {key: app.session_state[key] for key in ("sample", "reduction", "quantity")} == {
        "sample": "golden",
        "reduction": "encoder_decoder",
        "quantity": "entropy",
    }


def test_link_opens_its_own_page_with_the_same_view() -> None:
    """What a link says is so on any page, also what only another page shows."""
    first = choose(sample("golden"), reduction="encoder_decoder", quantity="entropy")
    go(first, "Reductions")
    second = open_page("reductions", view=address(first))
    assert address(second) == address(first)
    assert number(second) == number(first)
    assert container(second, "explore_source").key == "explore_source"
    assert go(second, "Explore").session_state["quantity"] == "entropy"
