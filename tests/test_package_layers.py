"""The wheel with its core dependencies alone: batches and files work, and whatever needs more says what to install."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
SOURCES = (
    "lossviz",
    "sample_data",
    ".streamlit",
    ".ci",
    "requirements.txt",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
CORE = {"numpy", "pyarrow"}
INSTALL = " (not installed): `pip install 'lossviz[app]'`."
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: building leaves files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "dist", folder]
    subprocess.run(command, check=True)
    return next((folder / "dist").glob("lossviz-*.whl"))


@pytest.fixture(scope="module")
def core(wheel, tmp_path_factory):
    """Run a function of `package_core.py` where only the wheel, NumPy and PyArrow are installed."""
    folder = tmp_path_factory.mktemp("core")
    venv.create(folder / "venv", symlinks=os.name != "nt")
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    where = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    packages = Path(where.strip())
    zipfile.ZipFile(wheel).extractall(packages)
    for library in CORE:
        installed = distribution(library)
        for top in {file.parts[0] for file in installed.files or () if file.parts[0] != ".."}:
            (packages / top).symlink_to(installed.locate_file(top))

    def run(function):
        command = [python, "-I", ROOT / "tests" / "package_core.py", function]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return run


def closure(*names):
    """The installed distributions that some need, themselves included, without NumPy and PyArrow."""
    found, ahead = {}, list(names)
    while ahead:
        name = canonicalize_name(ahead.pop())
        if name in CORE or name in found:
            continue
        found[name] = distribution(name)
        needs = map(Requirement, found[name].requires or ())
        ahead += [one.name for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def linked(folder, distributions):
    """An interpreter that has these distributions, and nothing else."""
    venv.create(folder, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    where = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    for one in distributions:
        for top in {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (Path(where.strip()) / top).exists():
                (Path(where.strip()) / top).symlink_to(one.locate_file(top))
    return python


def stub(folder, name):
    """A wheel of a library's version and name alone, so that pip can choose it without a network."""
    version = distribution(name).version
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def test_package_adds_numpy_and_pyarrow_to_pytorch_and_transformers_and_records(wheel, tmp_path):
    """What `pip install lossviz` adds to an environment with PyTorch and transformers, and that it records there."""
    theirs = closure("torch", "transformers")
    for name in CORE:
        stub(tmp_path, name)
    python = linked(tmp_path / "venv", theirs.values())
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--dry-run", "--quiet", "--report", "-"]
    report = subprocess.check_output([*command, "--no-index", "--find-links", tmp_path, wheel], text=True)
    assert {one["metadata"]["name"] for one in json.loads(report)["install"]} == {"lossviz", *CORE}
    both = linked(tmp_path / "both", [*theirs.values(), *map(distribution, CORE)])
    where = subprocess.check_output([both, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    zipfile.ZipFile(wheel).extractall(where.strip())
    command = [both, "-I", ROOT / "tests" / "package_core.py", "records_of_transformers"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"steps": [0, 1], "shapes": [[4, 8, 16]] * 2, "foreign": []}


def required(*names):
    """The requirements that files list."""
    lines = [line for name in names for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return {Requirement(line) for line in lines if line and not line.startswith("#")}


def test_package_layers_are_what_the_requirements_files_list(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        listed = message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
    layers = {}
    for line in listed:
        requirement, _, extra = line.partition("; extra == ")
        layers.setdefault(extra.strip("\"'"), set()).add(Requirement(requirement))
    assert {requirement.name for requirement in layers.pop("")} == CORE
    assert layers == {
        "app": required("requirements.txt"),
        "runs": required(".ci/requirements/runs.txt"),
        "export": required(".ci/requirements/export.txt"),
        "dask": required(".ci/requirements/dask.txt"),
        "dev": required(
            "requirements.txt",
            ".ci/requirements/export.txt",
            ".ci/requirements/dask.txt",
            ".ci/requirements/dev.txt",
        ),
    }


def test_package_layer_of_runs_is_a_part_of_the_app():
    assert required(".ci/requirements/runs.txt") <= required("requirements.txt")


def test_package_core_reads_and_writes_every_format(core):
    assert core("round_trips") == ["csv", "json", "npz", "parquet", "npy", "safetensors"]


def test_package_core_says_what_to_install_for_more(core):
    """Each call that needs a library of `lossviz[app]` names what needs it, the library and the command."""
    assert core("refusals") == {
        "analyze": f"Computing losses needs TensorFlow{INSTALL}",
        "diagnose": f"Computing losses needs TensorFlow{INSTALL}",
        "identify": f"Computing losses needs TensorFlow{INSTALL}",
        "sequence_mask": f"Computing losses needs TensorFlow{INSTALL}",
        "runs": f"Querying a run needs DuckDB{INSTALL.replace('app', 'runs')}",
        "figures": f"Drawing a figure needs Plotly{INSTALL}",
        "tables": f"Making a table needs pandas{INSTALL}",
        "bfloat16": f"bfloat16 needs ml_dtypes{INSTALL}",
        "safetensors": f"Writing a safetensors file needs safetensors{INSTALL}",
    }


def test_package_core_loads_every_public_name_but_those_of_the_engine_the_picture_and_trainers(core):
    trainers, engine = ["KerasRecorder", "LightningRecorder"], ["sequence_loss", "sequence_mask", "sigmoid_loss"]
    assert core("names_that_need_more") == [*trainers, "equation", "record_pytorch", *engine, "softmax_loss"]


def test_package_core_command_says_what_to_install(core):
    assert core("commands") == {
        "samples": [0, True, ""],
        "rule PAD05": [0, True, ""],
        "app": [2, False, f"lossviz: `lossviz app` needs Streamlit{INSTALL}\n"],
        "analyze golden": [2, False, f"lossviz: Making a table needs pandas{INSTALL}\n"],
    }


def test_package_core_plays_the_theatre_and_holds_its_texts(core):
    assert core("plays") == [9, 680, 4000, 800]


def test_package_core_records_a_run_and_opens_it(core):
    assert core("records") == [[[1, 2]], [[[0.0] * 4] * 2], "1.3863"]
