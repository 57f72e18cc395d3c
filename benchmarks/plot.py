"""Groups of horizontal bars, as SVG that reads on a light page and a dark one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

_WIDTH: Final = 760
_LEFT: Final = 170  # where bars begin
_BAR: Final = 15
_GAP: Final = 26  # above a group, for its title
_COLOURS: Final = {"asgi_cors": "#1f883d", "by hand": "#8c959f"}
_OTHERS: Final = "#a5b8d6"
_STYLE: Final = "text{font:12px sans-serif;fill:#57606a}@media(prefers-color-scheme:dark){text{fill:#9da7b3}}"


def svg(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """Draw groups of bars, all on one scale."""
    most = max(value for group in groups.values() for value in group.values())
    scale = (_WIDTH - _LEFT - 70) / most
    drawn = [f'<text x="0" y="14" font-weight="bold">{escape(title)}</text>']
    y = 14
    for name, group in groups.items():
        y += _GAP
        drawn.append(f'<text x="0" y="{y}" font-style="italic">{escape(name)}</text>')
        for label, value in group.items():
            drawn += _bar(label, value, y=y + 5, scale=scale)
            y += _BAR + 2
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y + 14}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{_STYLE}</style>", *drawn, "</svg>\n"])


def _bar(label: str, value: float, *, y: int, scale: float) -> list[str]:
    width = max(1, round(value * scale))
    colour = _COLOURS.get(label, _OTHERS)
    return [
        f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>',
        f'<rect x="{_LEFT}" y="{y}" width="{width}" height="{_BAR}" fill="{colour}"/>',
        f'<text x="{_LEFT + width + 6}" y="{y + 12}">{value:,.0f}</text>',
    ]
