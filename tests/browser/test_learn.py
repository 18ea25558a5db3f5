"""The page Learn in a real browser: a chapter by keyboard, progress that stays, hostile storage, a clicker."""

import json

import pytest
from playwright.sync_api import Page, expect

from lossviz.lessons import STEPS, Choice, Fill, Number, Pick, Shape, Step, analysis_of, answer_text, options
from lossviz.ui.learn.address import STOPS
from tests.browser import steps
from tests.browser.conftest import Shot

HEADING = ".st-key-learn_question h2"
STORE = "lossviz.learn.1"


def visit(page: Page, address: str, query: str = "") -> Page:
    page.goto(f"{address}/learn{query}")
    page.wait_for_selector(HEADING, timeout=steps.FIRST_PAGE_MS)
    return steps.idle(page)


def forget_missing(errors: list[str]) -> None:
    """Streamlit looks for its server at /learn/ first."""
    assert [error for error in errors if "404 (Not Found)" not in error] == []
    errors.clear()


def until(page: Page, expression: str) -> None:
    """Wait until it is true; the page's policy forbids Playwright's own way, which evaluates text in the page."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never true: {expression}")


def stored(page: Page) -> dict[str, object]:
    until(page, f"(localStorage.getItem('{STORE}') ?? '').includes('steps')")
    found: dict[str, object] = json.loads(page.evaluate(f"localStorage.getItem('{STORE}')"))
    return found


SOON = """async ([selector, text]) => {
    const end = performance.now() + 60000;
    while (performance.now() < end) {
        if (document.querySelector(selector)?.textContent.includes(text)) return true;
        await new Promise(requestAnimationFrame);
    }
    return document.querySelector(selector)?.textContent ?? `no ${selector}`;
}"""


def soon(page: Page, selector: str, text: str) -> None:
    """Wait until it says so, frame by frame: `expect` looks rarely, and a walk has hundreds of looks."""
    assert page.evaluate(SOON, [selector, text]) is True, text


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is inside of what the selector finds."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("selector => Boolean(document.activeElement.closest(selector))", selector):
            return
    raise AssertionError(f"Tab never reached {selector}")


def pick_by_keyboard(page: Page, place: int) -> None:
    """In the group of pills that has the focus: arrows move, Space chooses."""
    for _ in range(place):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")


def answer_by_keyboard(page: Page, step: Step) -> None:
    analysis = analysis_of(step.screen)
    for place, ask in enumerate(step.asks):
        if isinstance(ask, Pick):
            tab_to(page, ".st-key-learn_picture")
            row, column = map(int, answer_text(ask, analysis).split(" or ")[0].strip("[]").split(","))
            page.keyboard.press("Home")
            for key in ["ArrowDown"] * row + ["ArrowRight"] * column:
                page.keyboard.press(key)
            soon(page, ".st-key-learn_answer", f"[{row}, {column}]")
            continue
        if isinstance(ask, Fill):
            for at, blank in enumerate(ask.function.blanks):
                tab_to(page, f"[class*='st-key-learn_answer_'][class*='_{place}_{at}']")
                pick_by_keyboard(page, sorted(line.code for line in blank.lines).index(blank.lines[0].code))
            continue
        tab_to(page, f"[class*='st-key-learn_answer_'][class*='_{place}']")
        if isinstance(ask, Choice):
            pick_by_keyboard(page, options(ask, analysis).index(answer_text(ask, analysis)))
        elif isinstance(ask, (Number, Shape)):
            page.keyboard.type(answer_text(ask, analysis))
    page.keyboard.press("Alt+k")
    soon(page, ".st-key-learn_feedback", "Right.")


def test_every_step_is_walked_by_keyboard_and_kept(
    page: Page, app_server: str, shot: Shot, console_errors: list[str]
) -> None:
    """A reload restores place and answer; then all chapters with keys only, each heading focused and announced."""
    visit(page, app_server, "?chapter=2&step=1")
    page.locator(".st-key-learn_answer input").fill("31")
    page.keyboard.press("Alt+k")
    expect(page.locator(".st-key-learn_feedback [role=alert]")).to_contain_text("You answered 31. You added all ten")
    shot(page, "learn-2.1-light")
    until(page, f"localStorage.getItem('{STORE}').includes('31')")
    assert stored(page)["at"] == "2.1"
    visit(page, app_server)
    expect(page.locator(HEADING)).to_contain_text("2.1 What the mask keeps")
    expect(page.get_by_label("Sum of the losses that the mask keeps")).to_have_value("31")
    expect(page.locator(".st-key-learn_feedback")).to_contain_text("You answered 31.")

    visit(page, app_server, "?chapter=1&step=1")
    walked = [*STEPS.values()]
    for step, following in zip(walked, [*walked[1:], None], strict=True):
        expect(page.locator(".learn-code")).to_have_count(0)
        answer_by_keyboard(page, step)
        soon(page, "[aria-label='PyTorch code']", "")
        if step.chapter == 1:
            soon(page, steps.IDLE, "")  # until then a field of the step before may still be there
            analysis, fields = analysis_of(step.screen), page.locator(".st-key-learn_answer input[type=text]")
            typed = [answer_text(ask, analysis) for ask in step.asks if isinstance(ask, (Number, Shape))]
            assert [fields.nth(place).input_value() for place in range(fields.count())] == typed, step.id
        if following is not None:
            page.keyboard.press("Alt+n")
            soon(page, "h2:focus", f"{following.id} {following.title}")
            assert (page.locator(".lossviz-memory").text_content() or "").endswith(following.title)
    expect(page.get_by_test_id("stMain")).to_contain_text("1 ● 2 ● 3 ● 4 ● 5 ● 6 ● 7 ● 8 ●")
    until(page, f"localStorage.getItem('{STORE}').split('\"right\"').length === {len(walked) + 1}")
    forget_missing(console_errors)


def test_hostile_store_and_another_tab(page: Page, app_server: str, console_errors: list[str]) -> None:
    """What another program left in the store is survived; what another tab did is merged, not overwritten."""
    visit(page, app_server, "?chapter=2&step=3")
    hostile = json.dumps({"v": 1, "steps": {"2.3": ["right", 0, "<img src=x onerror=alert(1)>"], "x": [[]]}, "at": 7})
    page.evaluate(f"text => localStorage.setItem('{STORE}', text)", hostile)
    page.reload()  # the empty field stays beside the answered one until the page is drawn whole
    answered = page.locator(".st-key-learn_answer input[disabled]")
    expect(answered).to_have_value("<img src=x onerror=alert(1)>", timeout=60_000)
    expect(page.locator(".st-key-learn_feedback")).to_contain_text("Right.")
    steps.idle(page)
    other = json.dumps({"v": 1, "steps": {"1.1": ["shown", 3]}, "at": "1.1"})
    page.evaluate(f"text => localStorage.setItem('{STORE}', text)", other)
    page.keyboard.press("Alt+n")
    expect(page.locator(HEADING)).to_contain_text("2.4")
    until(page, f"['1.1', '2.3'].every(id => localStorage.getItem('{STORE}').includes(id))")
    forget_missing(console_errors)


FITS = """() => {
    const [screen, controls] = ["teacher", "teacher_controls"].map(
        key => document.querySelector(`.st-key-${key}`).getBoundingClientRect());
    const fits = screen.bottom <= controls.top + 1 && controls.top + 1 < controls.bottom && controls.bottom <= 720;
    return fits || [screen.bottom, controls.top, controls.bottom];
}"""


def test_teacher_walks_every_step_by_pagedown_only(
    dark_page: Page, app_server: str, shot: Shot, console_errors: list[str]
) -> None:
    """At 1280 × 720 no stop of any step scrolls, there is no INPUT, the type is 24 px; PageDown leads on."""
    page = dark_page
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, app_server, "?chapter=1&step=1&teacher=1")
    soon(page, ".st-key-teacher_on button", "On")  # Streamlit fetches the code of buttons after the words are drawn
    screen = page.locator(".st-key-teacher")
    for step in STEPS.values():
        soon(page, HEADING, step.title)
        for stop in STOPS:
            soon(page, ".st-key-teacher_controls", f"{stop}, then")
            if step.id == "1.2" and stop == "Options":
                soon(page, steps.IDLE, "")  # Streamlit listens to a shortcut one frame after its button is drawn
                page.keyboard.press("3")
                expect(screen.get_by_role("button", name="3: ")).to_contain_text("1", use_inner_text=True)
                shot(page, "learn-teacher-options-dark")
            soon(page, steps.IDLE, "")  # the stop before stays on the screen until this one is drawn whole
            assert page.evaluate(FITS) is True, (step.id, stop)
            page.keyboard.press("PageDown")
    assert page.locator("[data-testid=stMain] input:visible").count() == 0
    assert screen.locator("p").first.evaluate("e => getComputedStyle(e).fontSize") == "24px"
    steps.idle(page)
    page.keyboard.press("b")
    expect(page.locator(HEADING)).to_have_count(0)
    forget_missing(console_errors)


AUDIT = """() => {
    const numbers = colour => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const over = ([r, g, b, a = 1], under) => [r, g, b].map((part, i) => part * a + under[i] * (1 - a));
    const ground = node => {
        const layers = [];
        for (let at = node; at; at = at.parentElement) layers.push(numbers(getComputedStyle(at).backgroundColor));
        return layers.reverse().reduce((under, layer) => layer.length ? over(layer, under) : under, [255, 255, 255]);
    };
    const light = colour => colour.map(part => part / 255)
        .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const opacity = node => {
        let all = 1;
        for (let at = node; at; at = at.parentElement) all *= Number(getComputedStyle(at).opacity);
        return all;
    };
    const LEFT_OUT = ':disabled, [data-disabled], .katex, svg, .lossviz-plot, [aria-hidden=true], '
        + '[data-testid=stWidgetLabel]';
    const main = document.querySelector('[data-testid=stMain]'), faint = [], nameless = [];
    let seen = 0;
    for (const node of main.querySelectorAll('p, h2, span, mark, label, li, td, th, kbd')) {
        const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
        if (!own || !node.checkVisibility() || node.closest(LEFT_OUT)) continue;
        seen += 1;
        const [r, g, b, a = 1] = numbers(getComputedStyle(node).color), under = ground(node);
        const [one, two] = [light(over([r, g, b, a * opacity(node)], under)), light(under)].sort((x, y) => y - x);
        const large = parseFloat(getComputedStyle(node).fontSize) >= 24;
        if ((one + 0.05) / (two + 0.05) < (large ? 3 : 4.5)) faint.push(node.textContent.trim().slice(0, 40));
    }
    for (const node of main.querySelectorAll('button, a[href], input, [tabindex="0"]')) {
        const name = node.ariaLabel || node.title || node.textContent.trim() || node.labels?.[0]?.textContent;
        const named = name || node.ariaLabelledByElements?.length;
        if (node.checkVisibility() && !named) nameless.push(node.outerHTML.slice(0, 120));
    }
    return [[...new Set(faint)], nameless, Math.min(seen, 12)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_contrast_and_fits_at_twice_the_size(
    scheme: str, request: pytest.FixtureRequest, app_server: str, shot: Shot, console_errors: list[str]
) -> None:
    page: Page = request.getfixturevalue("page" if scheme == "light" else "dark_page")
    visit(page, app_server, "?chapter=2&step=3")
    page.locator(".st-key-learn_answer input").fill("7/6")
    page.keyboard.press("Alt+k")
    expect(page.locator(".st-key-learn_feedback [role=alert]")).to_be_visible()
    steps.idle(page)
    assert page.evaluate(AUDIT) == [[], [], 12]
    page.keyboard.press("Alt+s")
    page.wait_for_selector(".learn-code")
    page.wait_for_selector(".st-key-learn_picture .lossviz-plot[data-drawn]", state="attached")
    steps.idle(page)
    assert page.evaluate(AUDIT) == [[], [], 12]
    shot(page, f"learn-2.3-{scheme}")
    page.set_viewport_size({"width": 640, "height": 400})  # 1280 × 800 at 200 %
    steps.idle(page)
    wide = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('[data-testid=stMain]'))"
    until(page, f"{wide} <= 1")
    forget_missing(console_errors)
