"""The rules of the house: small files, documented names, and libraries that stay in their rooms."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

import lossviz

ROOT = Path(lossviz.__file__).parent.parent
CODE = sorted((ROOT / "lossviz").rglob("*.py"))
EVERY = [*CODE, ROOT / "app.py", *sorted((ROOT / "sample_data").rglob("*.py"))]
ROOMS_OF = {
    "tensorflow": {"engine", "models", "testing", "theatre"},
    "keras": {"engine", "models", "recording", "theatre"},
    "torch": {"formats", "recording", "testing"},
    "jax": {"testing"},
    "streamlit": {"ui"},
    "plotly": {"figures", "ui"},
    "duckdb": {"runs"},
    "distributed": {"scanning"},
}
ROOMS = {path.relative_to(ROOT / "lossviz").parts[0].removesuffix(".py") for path in CODE}
NEVER = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}


def name_of(path):
    return str(path.relative_to(ROOT))


def room_of(path):
    return path.relative_to(ROOT / "lossviz").parts[0].removesuffix(".py")


def imported(tree):
    """The top-level packages that a file imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def documented(path):
    """(name, object) of every public class, function and property of a file, its classes' own included."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if getattr(value, "__module__", None) != module.__name__ or not (
            inspect.isclass(value) or inspect.isfunction(value)
        ):
            continue
        yield name, value
        for own, member in vars(value).items() if inspect.isclass(value) else ():
            if not own.startswith("_") and (isinstance(member, (property, classmethod)) or inspect.isfunction(member)):
                yield f"{name}.{own}", inspect.getattr_static(value, own)


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def offenders(paths, found):
    """What was found in each file, by its name; a law holds where nothing is."""
    return {name_of(path): list(what) for path in paths if (what := found(path))}


@cache
def lengths_of(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def function_lengths(path):
    """The lines of each function's body, its docstring not counted."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_house_files_fit_on_a_few_screens():
    """250 lines; a view composes panels on 60, and `app.py` starts them on 40."""
    limits = {path: 60 if "views" in path.parts else 40 if path.name == "app.py" else 250 for path in EVERY}
    assert {name_of(path): lengths_of(path) for path, limit in limits.items() if lengths_of(path) > limit} == {}


def test_house_files_and_functions_are_mostly_short():
    files = sorted(lengths_of(path) for path in EVERY)
    functions = sorted(length for path in EVERY for length in function_lengths(path))
    assert median(files) <= 100
    assert median(functions) <= 8
    assert functions[len(functions) * 9 // 10] <= 25


def test_house_rooms_hold_at_most_twenty_modules_side_by_side():
    """A room that has more gets sub-rooms; `__init__` says what the room is and does not count."""
    modules = Counter(path.parent for path in CODE if path.name != "__init__.py")
    assert {name_of(room): count for room, count in modules.items() if count > 20} == {}


def test_house_libraries_stay_in_their_rooms():
    used = {path: set(imported(tree_of(path))) for path in CODE}
    assert (
        offenders(CODE, lambda path: [one for one in used[path] if room_of(path) not in ROOMS_OF.get(one, ROOMS)]) == {}
    )
    assert offenders(CODE, lambda path: used[path] & NEVER) == {}


def test_house_code_does_not_evaluate_text_or_assert_input():
    def evaluated(path):
        calls = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
        return [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")]

    assert offenders(CODE, evaluated) == {}
    asserted = offenders(
        CODE, lambda path: [one.lineno for one in ast.walk(tree_of(path)) if isinstance(one, ast.Assert)]
    )
    assert asserted == {}


def test_house_graphs_are_traced_without_autograph():
    """AutoGraph rewrites Python source, and can read none of ours on Python 3.13: there, what needs it fails."""

    def leaves_it_on(node):
        return ast.unparse(node) == "tf.function" and not (
            isinstance(calls.get(node), ast.Call)
            and any(word.arg == "autograph" and ast.unparse(word.value) == "False" for word in calls[node].keywords)
        )

    left_on = []
    for path in CODE:
        tree = ast.parse(path.read_text("utf-8"))
        calls = {node.func: node for node in ast.walk(tree) if isinstance(node, ast.Call)}
        left_on += [
            (name_of(path), node.lineno)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and leaves_it_on(node)
        ]
    assert left_on == []


def test_house_public_names_are_documented():
    paths = [path for path in CODE if room_of(path) != "ui"]
    assert offenders(paths, lambda path: [name for name, value in documented(path) if not inspect.getdoc(value)]) == {}


def test_house_files_say_what_they_are():
    assert [name_of(path) for path in CODE if not ast.get_docstring(tree_of(path))] == []


@pytest.mark.parametrize("name", lossviz.__all__)
def test_house_names_of_the_package_have_an_example(name):
    value = getattr(lossviz, name)
    assert ">>> " in inspect.getdoc(value) or issubclass(value, Exception)


def test_house_names_of_the_package_are_complete_and_sorted():
    assert sorted(lossviz.__all__) == lossviz.__all__
    assert set(lossviz.__all__) <= set(dir(lossviz))
    with pytest.raises(AttributeError, match=r"^module 'lossviz' has no attribute 'analyse'$"):
        lossviz.analyse  # noqa: B018


def test_house_import_loads_none_of_the_large_libraries():
    code = "import lossviz, sys; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert set(ast.literal_eval(loaded)) & {"tensorflow", "keras", "streamlit", "plotly", "pandas", "numpy"} == set()


def test_house_cited_specifications_exist():
    """Each cited page of `docs/spec`, and each cited section of it, exists."""
    cited = {}
    for path in (*EVERY, *(ROOT / "tests").rglob("*.py")):
        for page, section in re.findall(r"spec/([\w-]+\.md)(?: §(\d(?:\.\d)?))?", path.read_text(encoding="utf-8")):
            cited.setdefault((page, section), name_of(path))
    assert {page for page, _ in cited} == {"conventions.md", "losses.md", "padding-bugs.md"}
    for (page, section), where in cited.items():
        text = (ROOT / "docs" / "spec" / page).read_text(encoding="utf-8")
        assert not section or re.search(rf"^##+ {re.escape(section)}[. ]", text, re.MULTILINE), (where, page, section)


def test_house_package_lists_every_folder():
    """A folder that `packages` of pyproject.toml leaves out is missing from the wheel, and from nothing else."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["setuptools"]["packages"]
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in CODE if path.name == "__init__.py"}
    assert listed == sorted(folders | {"lossviz._sample_data", "lossviz._streamlit"})


def test_house_test_files_have_one_name_each():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)


def test_house_layers_name_every_room():
    with (ROOT / "pyproject.toml").open("rb") as file:
        [contract, siblings] = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    layers = {room.strip() for layer in contract["layers"] for room in layer.split("|")}
    rooms = {room_of(path) for path in CODE} - {"__init__"}
    assert rooms - layers == set()
    assert contract["exhaustive"]
    assert siblings["type"] == "acyclic_siblings"
    assert not (contract.keys() | siblings.keys()) & {"ignore_imports", "skip_descendants"}


MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in CODE}


def modules_named(path):
    """The modules of lossviz that a file names: imported anywhere, for types too, or looked up by a literal name."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (one if one in MODULES else node.module for one in inside)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            yield from (one.value for one in node.args if isinstance(one, ast.Constant))


def test_house_no_modules_name_each_other_in_a_circle():
    """Stricter than import-linter, which sees neither a name that is looked up nor an import for types alone."""
    named = {name: {one for one in modules_named(path) if one in MODULES} - {name} for name, path in MODULES.items()}
    assert [name for name, others in named.items() if "lossviz" in others] == []  # it hands on names of every room
    TopologicalSorter(named).prepare()  # raises a CycleError


def private_imports(path):
    """The private modules of other rooms that a file imports from, wherever the import stands."""
    for node in ast.walk(tree_of(path)):
        named = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in named:
            package, room, *inside = [*name.split("."), ""]
            if package == "lossviz" and room != room_of(path) and any(part.startswith("_") for part in inside):
                yield name


def test_house_rooms_import_no_private_module_of_another_room():
    # import-linter's `protected` contract takes whole names only, so that every private module would have to be listed.
    assert offenders(CODE, lambda path: list(private_imports(path))) == {}
