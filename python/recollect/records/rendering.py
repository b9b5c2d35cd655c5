"""How records look: one line in a terminal, a small table in a notebook."""

import html
from collections.abc import Iterable, Sequence
from typing import cast

__all__ = ["html_pairs", "html_table", "one_line", "shorten"]

_CELL_STYLE = "text-align:left;vertical-align:top;max-width:48em;overflow-wrap:anywhere"


def shorten(text: str, width: int = 60) -> str:
    """Cuts a text to one line of at most `width` characters, with an ellipsis where something was left out."""
    # A text may be megabytes long; no more of it is looked at than could be shown.
    head = " ".join(text[: 4 * width].split())
    if len(head) <= width and len(text) <= 4 * width:
        return head
    return head[: width - 1].rstrip() + "…"


def one_line(name: str, subject: object, **fields: object) -> str:
    """Writes `Name('subject', field=value, …)`, leaving out fields that are None, empty or false."""
    parts = [repr(shorten(subject) if isinstance(subject, str) else subject)]
    parts += [
        f"{field}={shorten(value)!r}" if isinstance(value, str) else f"{field}={value!r}"
        for field, value in fields.items()
        if value or (value == 0 and value is not False)
    ]
    return f"{name}({', '.join(parts)})"


def _cell(value: object, width: int) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, tuple):
        return html.escape(shorten(", ".join(str(part) for part in cast("tuple[object, ...]", value)), width))
    return html.escape(shorten(str(value), width))


def html_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], width: int = 160) -> str:
    """Makes an HTML table. Everything in it is escaped; cells longer than `width` characters are cut."""
    head = "".join(f'<th style="{_CELL_STYLE}">{html.escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL_STYLE}">{_cell(value, width)}</td>' for value in row) + "</tr>"
        for row in rows
    )
    title = f"<caption>{html.escape(caption)}</caption>"
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_pairs(caption: str, pairs: Iterable[tuple[str, object]], width: int = 2000) -> str:
    """Makes an HTML table of names and values, one pair a row."""
    return html_table(caption, ("field", "value"), pairs, width)
