"""The report in a real browser, with the network cut: nothing to complain of, nothing wider than the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor.trials.arms import Arm
from advisor.trials.report import to_html
from advisor.trials.results import TrialResult
from tests.advisor.trials.results import hostile, made_up_record, made_up_result, not_run
from tests.browser import NAMES, Page, chromium_path, open_page

BROWSER = chromium_path()
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"no Chromium: set CHROMIUM to its path, or install one of {', '.join(NAMES)}"
)
FULL = not_run(made_up_result(20), Arm.LOGISTIC_REGRESSION, "the answers are no labels")
WIDE = """
[...document.querySelectorAll('body *')]
  .filter(each => !each.closest('.scroll') && each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => each.outerHTML.slice(0, 200))
"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
SHOWN_ROWS = "[...document.querySelectorAll('.matrix tbody tr')].filter(each => each.offsetHeight).length"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    assert BROWSER
    with open_page(BROWSER, tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def show(page: Page, folder: Path, result: TrialResult, width: int = 1600, scheme: str = "light") -> None:
    file = folder / "report.html"
    file.write_text(to_html(result, "Boiler handbook", made_up_record(20)), encoding="utf-8")
    page.show(file, width, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1030, 1600])
@pytest.mark.parametrize("result", [FULL, hostile(FULL), made_up_result(0)], ids=["full", "hostile", "empty"])
def test_it_fits_the_page(page: Page, tmp_path: Path, result: TrialResult, width: int, scheme: str) -> None:
    """Nothing overflows, closed or open, and the browser has nothing to say of it."""
    show(page, tmp_path, result, width, scheme)
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.scrollingElement.scrollWidth") == width
    assert page.evaluate(WIDE) == []
    assert page.complaints() == []


def test_both_schemes_differ(page: Page, tmp_path: Path) -> None:
    """The page is light or dark as the reader's system is, by its own style sheet, which its policy lets in."""
    grounds = []
    for scheme in ("light", "dark"):
        show(page, tmp_path, FULL, scheme=scheme)
        grounds.append(page.evaluate(BACKGROUND))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_no_script_of_a_text_runs(page: Page, tmp_path: Path) -> None:
    """There is no element of an attacker's, and none could run."""
    show(page, tmp_path, hostile(FULL))
    assert page.evaluate("document.querySelectorAll('script, [onclick]').length") == 0


@pytest.mark.parametrize("width", [360, 1600])
def test_a_question_opens_its_texts(page: Page, tmp_path: Path, width: int) -> None:
    """A click on the question shows the right answer and every arm's, over the whole width."""
    show(page, tmp_path, FULL, width)
    texts = "document.querySelector('#q1 dl')"
    assert page.evaluate(f"{texts}.checkVisibility()") is False
    page.evaluate("document.querySelector('#q1 summary').click()")
    assert page.evaluate(f"{texts}.checkVisibility()") is True
    assert page.evaluate(f"{texts}.querySelectorAll('dt').length") >= 10
    assert page.evaluate(f"{texts}.offsetWidth") > 0.7 * min(width, 1280)


def test_questions_are_chosen_without_a_script(page: Page, tmp_path: Path) -> None:
    """Those on which the ways differ, and those that went wrong."""
    show(page, tmp_path, FULL)
    shown = {}
    for choice in ("differ", "wrong", "all"):
        page.evaluate(f"document.querySelector('#show-{choice}').click()")
        shown[choice] = page.evaluate(SHOWN_ROWS)
    assert shown["all"] == 20
    assert 0 < shown["wrong"] < 20
    assert 0 < shown["differ"] < 20


@pytest.mark.parametrize(("width", "size"), [(360, "narrow"), (1600, "wide")])
def test_one_size_of_each_plot_is_shown(page: Page, tmp_path: Path, width: int, size: str) -> None:
    """Text in a plot is as large as it was drawn, and none of its names covers another."""
    show(page, tmp_path, FULL, width)
    shown = page.evaluate(
        "[...document.querySelectorAll('svg.plot')].filter(each => each.getBoundingClientRect().width)"
        ".map(each => [each.classList[1], each.getBoundingClientRect().width / each.viewBox.baseVal.width])"
    )
    assert [each for each, _ in shown] == [size] * 4
    assert all(scale > 0.95 for _, scale in shown)
    overlapping = page.evaluate("""
        [...document.querySelectorAll('svg.plot')].flatMap(plot => {
          const texts = [...plot.querySelectorAll('.name')];
          const names = texts.map(each => [each.textContent, each.getBoundingClientRect()]);
          return names.flatMap(([one, a], at) => names.slice(at + 1)
            .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
            .map(([other]) => [one, other]));
        })
    """)
    assert overlapping == []
