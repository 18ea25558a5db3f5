import ast
import inspect
import subprocess
import sys

import pytest

import lossviz


def test_all_is_sorted_and_complete():
    """Every name that the façade imports for type checkers is public, and the other way round."""
    source = ast.parse(inspect.getsource(lossviz))
    imports = [node for node in ast.walk(source) if isinstance(node, ast.ImportFrom)]
    rooms = [node for node in imports if node.module and node.module.startswith("lossviz.")]
    offered = [alias.name for node in rooms for alias in node.names if alias.name != "__version__"]
    assert lossviz.__all__ == sorted(offered)


@pytest.mark.parametrize("name", lossviz.__all__)
def test_public_names_are_loaded_when_they_are_asked_for(name):
    assert getattr(lossviz, name).__name__ == name
    assert name in dir(lossviz)


@pytest.mark.parametrize("name", lossviz.__all__)
def test_public_names_are_documented_with_an_example(name):
    public = getattr(lossviz, name)
    documentation = inspect.getdoc(public)
    assert documentation
    is_exception = inspect.isclass(public) and issubclass(public, Exception)
    assert is_exception or ">>> " in documentation


def test_unknown_names_are_an_attribute_error():
    with pytest.raises(AttributeError) as caught:
        lossviz.analyse  # noqa: B018
    assert str(caught.value) == "module 'lossviz' has no attribute 'analyse'"


@pytest.mark.parametrize("statement", ["import lossviz", "from lossviz import Batch, Settings", "import lossviz.cli"])
def test_import_loads_none_of_the_heavy_libraries(statement):
    script = f"{statement}\nimport sys; print(sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(run.stdout))
    assert loaded & {"tensorflow", "keras", "pandas", "streamlit", "plotly", "pyarrow", "torch"} == set()
    assert "lossviz" in loaded


def test_version_is_the_one_of_the_package():
    from importlib.metadata import version

    assert lossviz.__version__ == version("lossviz")
