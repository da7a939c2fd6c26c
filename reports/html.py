"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from importlib.resources import files

import jinja2

from tcrypt.reports.model import Report
from tcrypt.reports.view import make_view

__all__ = ("render_html",)

_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) not in "\t\n\r"}


def render_html(report: Report) -> str:
    """Return the page: styles and script are inside, nothing is fetched from anywhere."""
    template = _environment().get_template("index.html.j2")
    page = template.render(report=report, run=report.run, view=make_view(report)) + "\n"
    # What a driver says may hold characters that no page may.
    return page.translate(_VISIBLE)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = "{:,}".format
    environment.filters["duration"] = _duration
    environment.filters["memory"] = _memory
    environment.filters["many"] = _many
    return environment


def _template(name: str) -> str:
    return files("tcrypt.reports").joinpath(name).read_text(encoding="utf-8")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _memory(kib: int) -> str:
    return f"{kib / 1024:,.0f} MiB"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
