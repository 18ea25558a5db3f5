"""What holds for every layout in the catalogue."""

import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pytest

from lossviz.errors import InputError
from lossviz.layouts import LAYOUTS, Layout, interpret

ROOT = Path(__file__).parents[2]


def test_layouts_have_unique_names_and_plain_comes_first() -> None:
    names = [layout.name for layout in LAYOUTS]
    assert names[0] == "plain"
    assert len(names) == len({*names})
    assert len({layout.title for layout in LAYOUTS}) == len(names)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_layout_has_module_test_and_heading_of_its_name(layout: Layout) -> None:
    module = layout.name.replace("-", "_")
    found = [*(ROOT / "lossviz/layouts").rglob(f"{module}.py")]
    assert len(found) == 1
    assert (ROOT / f"tests/layouts/test_layout_{module}.py").exists()
    assert f"\n## {layout.title} (`{layout.name}`)\n" in (ROOT / "docs/layouts.md").read_text("utf-8")
    assert layout.doc.split("\n\n")[0].endswith(".")
    assert "\n- " in layout.doc or layout.name == "trailing-axis"  # how to have it otherwise


@pytest.mark.parametrize("layout", LAYOUTS[1:], ids=lambda layout: layout.name)
def test_layout_that_was_asked_for_in_vain_says_what_it_needs(layout: Layout) -> None:
    fields = {"logits": np.zeros((2, 3, 4, 5)), "targets": np.zeros((2, 3, 4), int)}
    with pytest.raises(InputError) as error:
        interpret(fields, layout=layout.name)
    assert str(error.value) == (
        f"`layout='{layout.name}'` needs {layout.needs}; got `logits` (2, 3, 4, 5) and `targets` (2, 3, 4)."
    )


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_layout_leaves_a_plain_batch_alone(layout: Layout) -> None:
    fields = {
        "logits": np.random.default_rng(0).normal(size=(3, 5, 7)),
        "targets": np.random.default_rng(1).integers(0, 7, (3, 5)),
        "lengths": np.array([5, 2, 3]),
    }
    reading = interpret(fields)
    assert (reading.layout, reading.assumptions) == ("plain", ())
    assert all(reading.arguments[name] is value for name, value in fields.items())


def test_layout_of_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="Did you mean 'packed'") as error:
        interpret({}, layout="pacted")
    assert all(repr(layout.name) in str(error.value) for layout in LAYOUTS)


def test_import_layouts_loads_numpy_only() -> None:
    heavy = "{'pandas', 'pyarrow', 'tensorflow', 'torch', 'streamlit'}"
    code = f"import lossviz.layouts, sys; print({heavy} & {{*sys.modules}})"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"
