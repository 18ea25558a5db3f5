"""Tables in Markdown, and the sections of docs/benchmarks.md that one benchmark writes without touching the others'."""

import re
from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
FRAME = "# Benchmarks\n\nWritten by `make bench`; the goals are those the project set itself.\n"


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(header)]
    lines += [["---"] * len(lines[0]), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Puts `text` between `<!-- name -->` and `<!-- /name -->`, which are added at the end if the page lacks them."""
    old = page.read_text() if page.exists() else FRAME
    section = f"<!-- {name} -->\n{text.strip()}\n<!-- /{name} -->"
    new, found = re.subn(f"<!-- {name} -->.*?<!-- /{name} -->", lambda _: section, old, flags=re.DOTALL)
    page.write_text(new if found else f"{old.rstrip()}\n\n{section}\n")
