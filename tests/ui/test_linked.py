"""What the pages keep is in the address, or it is said here why not."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from lossviz.ui.linked import CHOICES
from tests.ui.driver import ROOT
from tests.ui.widget_keys import Key, calls, key_of, pages

NOT_LINKED = {
    "another_class": "it is emptied once the class has its row",
    "files": "no address has the files that were opened",
    "map_": "likewise",
    "opened_": "likewise",
    "outline": "it points at something in the picture, for as long as one looks",
    "save_picture": "it is chosen to save the picture at once",
    "waiting:on_every_page": "nobody chooses it",
}
"""What a link leaves out, and why; a key that ends in _ is how the keys of several begin."""

OTHER_ADDRESSES = ("learn", "train")
"""Rooms whose pages have an address of their own, such as `?chapter=2&step=3`."""

NAMED_BY_OTHERS = {"lossviz/ui/session/state.py", "lossviz/ui/shared/selectbox.py"}
"""Files that keep what other files name."""

KEEPERS = {"select": 1, "choice": 0, "default_widget": 0}
"""The functions that keep a value under a name, and which of their arguments it is."""
NO_VALUE = {"button", "container", "download_button", "form", "form_submit_button", "plot"}
TELLS_IF = {"expander": "on_change", "popover": "on_change", "dataframe": "on_select"}
"""What the browser opens or selects by itself, and tells only with this argument."""

FORGOTTEN = (
    "`{}` is kept, but no link has it. Say in LINKED, in the same file, which values it may have, and list the file in "
    "lossviz/ui/linked.py; or say in NOT_LINKED, in tests/ui/test_linked.py, why a link leaves it out."
)
UNLISTED = "`{}` is in LINKED, but lossviz/ui/linked.py does not list the file."


def kept(path: Path, tree: ast.Module) -> Iterator[Key]:
    """The names under which a page keeps what is chosen or typed, opened or closed."""
    for name, call in calls(tree):
        keys = [word.value for word in call.keywords if word.arg == "key"]
        if name in KEEPERS and len(call.args) > KEEPERS[name]:
            keys = [call.args[KEEPERS[name]]]
        elif name in NO_VALUE or not isinstance(call.func, ast.Attribute) or not tells(name, call):
            continue
        yield from (key_of(key, path) for key in keys if getattr(key, "attr", "") != "key")  # `editor.key`: named above


def tells(name: str, call: ast.Call) -> bool:
    return name not in TELLS_IF or TELLS_IF[name] in {word.arg for word in call.keywords}


def is_linked(key: Key, linked: set[str]) -> bool:
    return any(one == key.text if key.is_whole else one.startswith(key.text) for one in linked)


def test_what_a_page_keeps_is_in_its_link() -> None:
    complaints: dict[str, list[str]] = {}
    for path, tree in pages().items():
        name = path.relative_to(ROOT).as_posix()
        if path.parent.name in OTHER_ADDRESSES or name in NAMED_BY_OTHERS:
            continue
        own = set(links_of(path, tree))
        said = [
            FORGOTTEN.format(key.text or "a key")
            for key in kept(path, tree)
            if not is_linked(key, CHOICES.keys() if key.text else own) and key.text not in NOT_LINKED
        ]
        said += [UNLISTED.format(one) for one in sorted(own - CHOICES.keys())]
        if said:
            complaints[name] = said
    assert complaints == {}


def links_of(path: Path, tree: ast.Module) -> Iterator[str]:
    """The keys that a file declares in LINKED."""
    names = [target for node in tree.body if isinstance(node, ast.AnnAssign) for target in [node.target]]
    if any(getattr(name, "id", "") == "LINKED" for name in names):
        yield from import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)).LINKED
