"""The page: safe, alone, and with everything that matters on it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tcrypt.reports import events as ev
from tcrypt.reports.build import build_report
from tcrypt.reports.html import render_html
from tcrypt.reports.model import Report

if TYPE_CHECKING:
    from conftest import Runs


_VOID = {"meta", "input", "wbr", "br", "link", "img", "hr"}
HOSTILE = "</script><script>alert(1)</script><b onmouseover=x>\"'&"


class Page(HTMLParser):
    """Elements, text and whether the tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(mixed_report: Report) -> Page:
    return Page(render_html(mixed_report))


def test_nothing_is_fetched_from_anywhere(mixed_report: Report, page: Page):
    for _, attributes in page.elements:
        assert not attributes.keys() & {"src", "srcset", "data", "action", "poster"}
        assert (attributes.get("href") or "#").startswith("#")
    assert not page.all("link")
    text = render_html(mixed_report)
    assert not re.search(r"url\(|@import|https?://|fetch\(|XMLHttp", text)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert (policy or "").startswith("default-src 'none'")


def test_texts_from_outside_stay_texts(runs: Runs):
    names = {name: HOSTILE for name in ("provider", "driver", "algorithm", "check")}
    events = [
        runs.started(
            profile=HOSTILE, platform=HOSTILE, arguments=[HOSTILE], versions={HOSTILE: "1"}
        ),
        ev.AlgorithmFound(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, [HOSTILE], {HOSTILE: HOSTILE}),
        *runs.item(
            HOSTILE,
            ev.CaseFailed(
                HOSTILE,
                HOSTILE,
                HOSTILE,
                HOSTILE,
                HOSTILE,
                HOSTILE + "x",
                [HOSTILE],
                HOSTILE,
                "driver",
                HOSTILE,
                [HOSTILE],
            ),
            ev.CasesSet(HOSTILE, "blocked", HOSTILE, ["b"]),
            verdict="failed",
            **names,
        ),
        ev.Untested(HOSTILE, HOSTILE, "other", HOSTILE),
        ev.CoverageLost(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        ev.SourceUsed(HOSTILE, HOSTILE, HOSTILE, 1),
        ev.Note(HOSTILE),
        ev.WorkSeen("x", HOSTILE, HOSTILE, HOSTILE, 16, "software", "hardware", 1),
    ]
    hostile = Page(render_html(build_report([runs.log(*events)])))
    assert len(hostile.all("script")) == 1
    assert not any("onmouseover" in attributes for _, attributes in hostile.elements)
    assert hostile.text.count("alert(1)") > 20


def test_characters_that_no_page_may_hold_are_shown_by_their_numbers(runs: Runs):
    page = render_html(build_report([runs.log(runs.started(), ev.Note("\x1b[31m\x00\x7f bad"))]))
    assert "\\x1b[31m\\x00\\x7f bad" in page
    assert not set(page) & {chr(code) for code in (*range(9), *range(14, 32), 127)}


def test_the_head_says_verdict_seed_profile_and_versions(runs: Runs):
    events = [
        runs.started(versions={"openssl": "3.5.2"}),
        *runs.item("i1", ev.CasesPassed("i1", ["a"])),
        ev.RunFinished(0, 83.0, 184_320),
    ]
    text = Page(render_html(build_report([runs.log(*events)]))).text
    for words in ("Passed: 1 case on 1 driver", "Seed 42", "Profile default", "1 min 23 s"):
        assert words in text
    for words in ("180 MiB", "tcrypt 0.1.0", "Python 3.11.7", "openssl 3.5.2"):
        assert words in text
    for word in ("Interrupted", "Coverage lost", "Not tested", "Failures"):
        assert word not in text


def test_the_matrix_has_a_row_for_each_algorithm_and_words_beside_colours(page: Page):
    rows = [a for a in page.all("tr") if a.get("data-text")]
    assert sum("data-bad" in row for row in rows) >= 1
    titles = [a["title"] or "" for a in page.all("td") if a.get("title")]
    assert "cbc-aes-eip93 cbc(aes), iv-out: failed" in " ".join(titles)
    assert "1 passed, 30 failed, 2 blocked" in " ".join(titles)
    assert "not-tested: random generators are not covered" in page.text
    assert "30/31" in page.text
    assert "+2 blocked" in page.text
    assert "not planned" in page.text


def test_header_cells_have_a_scope(page: Page):
    headers = page.all("th")
    assert headers
    assert all(header.get("scope") in ("col", "row", "rowgroup") for header in headers)


def test_what_is_missing_is_said_loudly(page: Page):
    for title in ("Interrupted", "Coverage lost", "Not tested"):
        assert title in page.text
    assert "1 item not run" in page.text
    assert "never" in page.text
    assert "the run ended before the item had its turn" in page.text


def test_a_failure_shows_all_that_is_needed_to_act_on_it(page: Page):
    for words in (
        "ciphertext differs",
        "SP 800-38A 6.2",
        "layout in-place",
        "points at the driver",
        "t=0 submit t=9 irq",
        "pytest --pyargs tcrypt --tcrypt-case f0",
    ):
        assert words in page.text
    assert len(page.all("mark")) >= 2
    assert any("copy" in (button.get("class") or "") for button in page.all("button"))


def test_a_link_in_the_matrix_leads_to_its_failures(page: Page):
    targets = {a["id"] for _, a in page.elements if "id" in a}
    links = [a["href"] or "" for a in page.all("a")]
    assert any(link.startswith("#g") for link in links)
    assert all(link[1:] in targets for link in links)


def test_engines_show_expected_and_seen(page: Page):
    assert "24 B software 2 expected hardware" in page.text
    assert "16 B hardware 7" in page.text


def test_many_equal_failures_are_one_group_and_no_wall(runs: Runs):
    failures = [runs.failed(f"c{n}", timeline=["x" * 200] * 50) for n in range(5000)]
    text = render_html(runs.one_item(*failures, verdict="failed"))
    page = Page(text)
    groups = [a for a in page.all("details") if a.get("class") == "group"]
    cases = [a for a in page.all("details") if a.get("class") == "case"]
    assert len(groups) == 1
    assert sum("open" in case for case in cases) == 1
    assert len(text) < 600_000
    assert "5,000 failures of 1 kind" in page.text
    assert "4,600 more are in report.json" in page.text


def test_many_kinds_of_many_failures_stay_bounded(runs: Runs):
    failures = [runs.failed(f"c{n}", message=f"kind {n % 100}") for n in range(3000)]
    page = Page(render_html(runs.one_item(*failures, verdict="failed")))
    cases = [a for a in page.all("details") if a.get("class") == "case"]
    assert 100 <= len(cases) <= 300


def test_of_very_many_kinds_of_failure_the_rest_is_counted(runs: Runs):
    failures = [runs.failed(f"c{n}", message=f"kind {n}") for n in range(2000)]
    page = Page(render_html(runs.one_item(*failures, verdict="failed")))
    groups = [a for a in page.all("details") if a.get("class") == "group"]
    assert len(groups) == 400
    assert sum("open" in group for group in groups) == 3
    assert "1,600 more kinds of failure" in page.text


def test_a_report_of_nothing_is_still_a_page(runs: Runs):
    assert "No algorithm was found" in Page(render_html(build_report([]))).text
