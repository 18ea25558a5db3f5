"""Write the pages of the documentation site to `build/docs`, from where Zensical builds `build/site`.

The site is README.md, the root's other pages, docs/, and one page for each rule. A link to a file that is on the site
leads to its page; a link to any other file of the repository becomes plain text.
"""

import os
import re
import shutil
from pathlib import Path, PurePosixPath

from lossviz.rules import RULES, page

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "docs"
FROM_ROOT = {"README.md": "index.md", **{name: name for name in ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")}}
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(docs/([^()\s]+)\)")
ANCHORS = {f"{rule.code.lower()}-{rule.name}": f"rules/{rule.code}.md" for rule in RULES}


def where(source: str, target: str) -> str | None:
    """The page of the site that a link of a repository's file leads to, or None."""
    path, _, anchor = target.partition("#")
    full = os.path.normpath(PurePosixPath(source).parent / path) if path else source
    if full == "docs/rules.md" and anchor in ANCHORS:
        return ANCHORS[anchor]
    found = FROM_ROOT.get(full) or (full.removeprefix("docs/") if full.startswith("docs/") else None)
    if found and (ROOT / full).is_dir():
        found = f"{found}/index.md"
    return found and f"{found}#{anchor}" if anchor else found


def rewritten(source: str, text: str) -> str:
    """A file's text with its links as the site has them."""
    own = PurePosixPath(FROM_ROOT.get(source) or source.removeprefix("docs/")).parent

    def link(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        if re.match(r"[a-z]+:", target):
            return match[0]
        found = where(source, target)
        return words if found is None else f"[{words}]({PurePosixPath(os.path.relpath(found, own)).as_posix()})"

    return PICTURE.sub(r"![\1](\2)", LINK.sub(link, text))


def rule_pages() -> dict[str, str]:
    """One page a rule, and the table of them all."""
    pages = {f"rules/{rule.code}.md": rewritten("docs/rules/x.md", page(rule, 1)) + "\n" for rule in RULES}
    rows = [f"| [{rule.code}]({rule.code}.md) | {rule.severity} | {rule.title} |" for rule in RULES]
    lines = ["# Every rule\n", "| code | severity | what it says |", "|---|---|---|", *rows]
    return pages | {"rules/index.md": "\n".join(lines) + "\n"}


def decisions() -> str:
    """The list of the decisions, by number."""
    notes = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    titles = ((note.name, note.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")) for note in notes)
    return "\n".join(["# Decisions\n", *(f"- [{title}]({name})" for name, title in titles)]) + "\n"


def write(pages: Path) -> None:
    """Write every page of the site."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages)
    sources = [*FROM_ROOT, *(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
    texts = {}
    for source in sources:
        text = (ROOT / source).read_text(encoding="utf-8")
        if source == "docs/rules.md":  # its rules have pages of their own
            text = text.partition("<!-- [[[cog")[0] + "\n[Every rule](rules/index.md) has a page.\n"
        texts[FROM_ROOT.get(source) or source.removeprefix("docs/")] = rewritten(source, text)
    for name, text in {**texts, **rule_pages(), "decisions/index.md": decisions()}.items():
        (pages / name).parent.mkdir(parents=True, exist_ok=True)
        (pages / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(PAGES)
