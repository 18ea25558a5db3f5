"""The pictures of the README and of `docs/learn.md`, made again: `python -m tests.browser.docs_pictures`.

Those that are shown are written into docs/, and each in the other theme and size into tests/artifacts/screens/.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.harness import ROOT, chromium, server
from tests.browser.screens import FOLDER, settled

READY = f".st-key-learn_question h2, .st-key-teacher h2, {steps.EQUATION}[data-drawn]"
SIZES = {"1280x800": (1280, 800), "1280x720": (1280, 720)}


@dataclass(frozen=True)
class Picture:
    """One of them: its file, its address, what is done there, and the theme and size that docs/ has."""

    name: str
    address: str
    prepare: Callable[[Page], object] = bool
    theme: str = "light"
    size: str = "1280x800"


def answer(page: Page, texts: Sequence[str]) -> None:
    """Type an answer into each field, and check them."""
    fields = page.locator(".st-key-learn_answer input[type=text]")
    for place, text in enumerate(texts):
        fields.nth(place).fill(text)
    page.keyboard.press("Alt+k")
    page.locator(".st-key-learn_feedback p").first.wait_for()


def choose(page: Page, lines: Sequence[str]) -> None:
    """Choose a line of code for each blank."""
    for line in lines:
        page.get_by_test_id("stMain").get_by_role("radio", name=line, exact=True).click()
        steps.idle(page)
    page.keyboard.press("Alt+k")
    page.locator(".st-key-learn_feedback p").first.wait_for()


LINES = (
    "tf.cast(tf.sign(final_tokens), tf.float32)",
    "final_tokens",
    "tf.reduce_mean(losses * binary_sequences)",
)
PICTURES = (
    Picture("explore", ""),
    Picture("learn-1", "learn?chapter=1&step=4", partial(answer, texts=["0.5"])),
    Picture("learn-2", "learn?chapter=2&step=3", partial(answer, texts=["0.7"])),
    Picture("learn-3", "learn?chapter=3&step=10", partial(choose, lines=LINES)),
    Picture("learn-4", "learn?chapter=4&step=3", partial(answer, texts=["2.8667", "(3,)"])),
    Picture("learn-5", "learn?chapter=5&step=5", partial(answer, texts=["1.42", "2.5"])),
    Picture("learn-teacher", "learn?chapter=2&step=3&teacher=1&stop=1&votes=9-14-2", theme="dark", size="1280x720"),
)


def main() -> None:
    """Make all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, server(ROOT / "app.py") as address:
        for theme in ("light", "dark"):
            for picture in PICTURES:
                context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
                page = context.new_page()
                for size, (width, height) in SIZES.items():
                    page.set_viewport_size({"width": width, "height": height})
                    if size == next(iter(SIZES)):
                        page.goto(f"{address}/{picture.address}")
                        page.wait_for_selector(READY, state="attached", timeout=steps.FIRST_PAGE_MS)
                        settled(page)
                        picture.prepare(page)
                        page.mouse.move(1270, 5)
                    settled(page)
                    is_shown = (theme, size) == (picture.theme, picture.size)
                    looked_at = FOLDER / f"docs-{picture.name}-{theme}-{size}.png"
                    path = ROOT / "docs" / f"{picture.name}-{theme}.png" if is_shown else looked_at
                    page.screenshot(path=path)
                    print(path, flush=True)
                context.close()


if __name__ == "__main__":
    main()
