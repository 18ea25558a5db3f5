"""Write the exact version of every package that `lossviz[dev]` installs here to `.ci/requirements/constraints.txt`.

No hashes and no index: the same file serves Python 3.11 to 3.13, other platforms, and a local build of PyTorch.
"""

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FILES = ("requirements.txt", *(f".ci/requirements/{name}.txt" for name in ("export", "dask", "dev")))
HEAD = "# Exact versions of what the tests install, written by `make lock`; every `pip install` of make obeys them."


def listed() -> list[Requirement]:
    """What the requirements files ask for."""
    lines = [line for name in FILES for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def closure(wanted: list[Requirement]) -> dict[str, str]:
    """Every package that these need on this machine, with its version, the local part left out."""
    found: dict[str, str] = {}
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        if name in found or (requirement.marker and not any(requirement.marker.evaluate({"extra": e}) for e in extras)):
            continue
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"`{requirement}` is not installed here; run `make lock` in a fresh clone.")
        found[name] = installed.version.partition("+")[0]
        needs = [Requirement(text) for text in installed.requires or ()]
        wanted += [
            need for need in needs if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras)
        ]
    return found


if __name__ == "__main__":
    lines = [HEAD, *(f"{name}=={version}" for name, version in sorted(closure(listed()).items()))]
    (ROOT / ".ci" / "requirements" / "constraints.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
