"""The markup of a page that stands alone: no script, nothing from elsewhere, every text escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NewType

from hansa.protocol.errors import FatalError
from hansa.protocol.text import escape_untrusted
from hansa.runtime.files import unwritable, write_file

Html = NewType("Html", str)  # escaped already

MARK = "<!doctype html>\n<!-- written by hansa audit -->\n"
STYLE = """
:root { color-scheme: light dark; --paper: #fbfbf9; --raised: #fff; --ink: #1b1f24; --muted: #596270; --line: #dddfdc;
  --good: #1c6b3c; --good-tint: #e6f3ea; --bad: #b3261e; --bad-tint: #fcebe9; --warn: #7a5200; --warn-tint: #fdf3da;
  --note: #0b5c6b; --note-tint: #e9f1f3; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --raised: #1b1f23; --ink: #e7e9ea; --muted: #9ba5af;
  --line: #31373d; --good: #7fcb9b; --good-tint: #1b2f23; --bad: #ff938a; --bad-tint: #3a1f1d; --warn: #e9bf6a;
  --warn-tint: #33290f; --note: #6cc3d2; --note-tint: #1b2b30; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, 'Segoe UI', 'Noto Sans',
  'DejaVu Sans', sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem; }
h1, h2, h3 { line-height: 1.2; font-weight: 600; text-wrap: balance; margin: 0 0 .5rem; }
h1 { font-size: 1.75rem; } h2 { font-size: 1.2rem; } h3 { font-size: 1rem; margin-top: 1.25rem; }
section { margin: 2rem 0; } section section { margin: 1.25rem 0; break-inside: avoid; }
p { margin: .5rem 0; max-width: 75ch; } .lead { font-size: 1.1rem; }
.muted { color: var(--muted); font-size: .875rem; }
code { font: .9em ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, monospace; }
.banner { border-left: 3px solid; border-radius: 6px; padding: .7rem 1rem; margin: 1rem 0; }
.banner p { margin: .15rem 0; } .banner code { font-size: 1.05em; }
.good { background: var(--good-tint); border-color: var(--good); }
.bad { background: var(--bad-tint); border-color: var(--bad); }
.warn { background: var(--warn-tint); border-color: var(--warn); }
.note { background: var(--note-tint); border-color: var(--note); }
dl { display: grid; grid-template-columns: minmax(8rem, auto) 1fr; gap: .3rem 1.25rem; margin: .5rem 0; }
dt { color: var(--muted); } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-size: .82rem; font-weight: 500; vertical-align: bottom; }
th, .number { overflow-wrap: normal; } .number { text-align: right; padding-right: 0; padding-left: .9rem; }
tr.sum td { font-weight: 600; border-bottom: 0; }
td code { font-size: .85em; color: var(--muted); white-space: nowrap; }
ul { margin: .5rem 0; padding-left: 1.2rem; max-width: 75ch; }
@media (max-width: 44rem) {
  main { padding: 1rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr, tbody { display: block; } tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td, td.number { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .1rem 0; }
  td:not(:first-child) { text-align: right; } td:empty { display: none; }
  td:first-child { display: block; text-align: left; font-weight: 600; } td code { white-space: normal; }
  td:not(:first-child)::before { content: attr(data-label); color: var(--muted); text-align: left; font-weight: 400;
    flex: none; max-width: 50%; }
}
@media print { body { font-size: 11px; background: none; } main { max-width: none; padding: 0; }
  .banner { border: 1px solid; } }
"""
HEAD = f"""{MARK}<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>{STYLE}</style>
"""


def text(value: object, most: int = 400) -> Html:
    """A text by whoever: what can't be seen in it is written out, nothing in it is markup, and its direction is its
    own."""
    return Html(f"<bdi>{html.escape(escape_untrusted(str(value), most))}</bdi>")


def number(amount: str) -> Html:
    """An amount in digits, which may go on in the next line after each comma."""
    return Html(html.escape(amount).replace(",", ",<wbr>"))


def code(value: object) -> Html:
    """An address, a hash, a CID."""
    return tag("code", text(value))


def tag(name: str, *parts: Html, kind: str = "") -> Html:
    """An element; kind: its class."""
    opening = f'{name} class="{html.escape(kind)}"' if kind else name
    return Html(f"<{opening}>{''.join(parts)}</{name}>")


NOTHING = Html("")


def joined(parts: Iterable[Html], between: str = ", ") -> Html:
    return Html(html.escape(between).join(parts))


def table(
    headings: Sequence[str], rows: Iterable[Sequence[Html]], total: Sequence[Html] | None = None, words: int = 1
) -> Html:
    """A table whose rows become small lists of their own on narrow screens.

    total: a last row, of sums. words: how many columns, the first ones, hold no numbers.
    """
    columns = [(heading, "" if place < words else ' class="number"') for place, heading in enumerate(headings)]
    head = "".join(f'<th scope="col"{kind}>{html.escape(heading)}</th>' for heading, kind in columns)
    lines = [_row(columns, row, "") for row in rows]
    if total is not None:
        lines.append(_row(columns, total, ' class="sum"'))
    return Html(f"<table><thead><tr>{head}</tr></thead>\n<tbody>{''.join(lines)}</tbody></table>\n")


def _row(columns: Iterable[tuple[str, str]], cells: Sequence[Html], kind: str) -> str:
    """columns: heading and attributes of each."""
    made = [
        f'<td{attributes} data-label="{html.escape(heading)}">{cell and f"<div>{cell}</div>"}</td>'
        for (heading, attributes), cell in zip(columns, cells, strict=True)
    ]
    return f"<tr{kind}>{''.join(made)}</tr>\n"


def facts(pairs: Iterable[tuple[str, Html]]) -> Html:
    """Terms and what they are."""
    return Html(f"<dl>{''.join(f'<dt>{html.escape(term)}</dt><dd>{value}</dd>' for term, value in pairs)}</dl>\n")


def bullets(items: Iterable[Html]) -> Html:
    return tag("ul", *(tag("li", item) for item in items))


def section(heading: str, *parts: Html, level: int = 2) -> Html:
    return Html(f"<section>{tag(f'h{level}', text(heading))}\n{''.join(parts)}</section>\n")


def document(title: str, *parts: Html) -> str:
    """The whole file."""
    return (
        f"{HEAD}<title>{html.escape(title)}</title>\n</head>\n<body><main>\n{''.join(parts)}</main></body>\n</html>\n"
    )


def check_target(path: Path) -> None:
    """FatalError where a page can't stand: over a file that is not one, or in no folder."""
    try:
        with path.open("rb") as file:
            is_ours = file.read(len(MARK)) == MARK.encode()
    except FileNotFoundError:
        if path.parent.is_dir():
            return
        raise FatalError(f"there is no folder {path.parent}", next_step="make it, or name another file") from None
    except OSError as error:
        raise unwritable(path, error) from error
    if not is_ours:
        raise FatalError(f"{path} is there, and is no report of an audit", next_step="move it, or name another file")


def write_page(path: Path, page: str) -> None:
    """Writes a page whole or not at all. FatalError as `check_target` says."""
    check_target(path)
    write_file(path, page.encode())
