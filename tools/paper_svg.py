# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG, without a library: the same numbers give the same bytes. For tools/paper.py."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 76, 190, 40, 56
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#e09f3e", "#6f4e9c", "#5c6b73", "#00798c", "#a44a3f")


def _text(x, y, text, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>{escape(text)}</text>'


def _line(x1, y1, x2, y2, colour="#ccc", width=1.0, extra=""):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}"{extra}/>')


def _page(title, parts, height=HEIGHT):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" fill="#222">')
    back = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([head, back, _text(WIDTH / 2, 22, title, size=15), *parts, "</svg>"]) + "\n"


class Axis:
    """Values to places on the page, logarithmic or from 0 on."""

    def __init__(self, low, high, start, end, logarithmic):
        self.low, self.high, self.start, self.end, self.logarithmic = low, high, start, end, logarithmic

    def at(self, value):
        if self.logarithmic:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * part

    def ticks(self):
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0 ** power for power in range(first, last + 1)]
        step = 10.0 ** math.floor(math.log10(self.high))
        while self.high / step < 4:
            step /= 2
        return [step * count for count in range(int(self.high / step + 1e-9) + 1)]


def _label(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _legend(names, top=TOP + 10):
    parts = []
    for index, (name, colour) in enumerate(names):
        y = top + 22 * index
        parts.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 9}" width="14" height="10" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 36, y, name, "start"))
    return parts


def _frame(x_axis, y_axis, x_title, y_title, x_labels):
    parts = []
    for value in y_axis.ticks():
        y = y_axis.at(value)
        parts += [_line(LEFT, y, WIDTH - RIGHT, y), _text(LEFT - 8, y + 4, _label(value), "end")]
    for value, label in x_labels:
        x = x_axis.at(value)
        parts += [_line(x, TOP, x, HEIGHT - BOTTOM, "#eee"), _text(x, HEIGHT - BOTTOM + 18, label)]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_title))
    parts.append(_text(20, middle, y_title, extra=f' transform="rotate(-90 20 {middle:.0f})"'))
    return parts


def lines(title, x_title, y_title, series, x_labels=None, log_x=True, marks=()):
    """series: (name, [(x, y)...], dashed). x_labels: (x, text), or powers of ten. marks: (x, y) with a ring around."""
    xs = [x for _, points, _ in series for x, _ in points]
    ys = [y for _, points, _ in series for _, y in points]
    low, high = 10.0 ** math.floor(math.log10(min(ys))), 10.0 ** math.ceil(math.log10(max(ys)) - 1e-9)
    x_axis = Axis(min(xs) if log_x else 0, max(xs), LEFT, WIDTH - RIGHT, log_x)
    y_axis = Axis(low, high, HEIGHT - BOTTOM, TOP, True)
    parts = _frame(x_axis, y_axis, x_title, y_title, x_labels or [(x, _label(x)) for x in x_axis.ticks()])
    names = []
    for index, (name, points, dashed) in enumerate(series):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in points)
        dash = ' stroke-dasharray="6 4"' if dashed else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        if not dashed:
            parts += [f'<circle cx="{x_axis.at(x):.1f}" cy="{y_axis.at(y):.1f}" r="3" fill="{colour}"/>'
                      for x, y in points]
        names.append((name, colour))
    parts += [f'<circle cx="{x_axis.at(x):.1f}" cy="{y_axis.at(y):.1f}" r="6" fill="none" stroke="#222"/>' for x, y in marks]
    return _page(title, parts + _legend(names))


def bars(title, x_title, rows, parts_of):
    """Horizontal bars of parts. rows: (label, [value of each part]), None: a gap; parts_of: names of the parts."""
    step = 26
    height = TOP + BOTTOM + step * len(rows)
    most = max(sum(row[1]) for row in rows if row)
    left = 170
    axis = Axis(0, most * 1.02, left, WIDTH - RIGHT, False)
    drawn = []
    for value in axis.ticks():
        x = axis.at(value)
        drawn += [_line(x, TOP, x, height - BOTTOM), _text(x, height - BOTTOM + 18, _label(round(value, 6)))]
    for index, row in enumerate(rows):
        if not row:
            continue
        label, values = row
        y, x = TOP + step * index + 4, float(left)
        drawn.append(_text(left - 8, y + 13, label, "end"))
        for part, value in enumerate(values):
            width = axis.at(value) - axis.at(0)
            drawn.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" fill="{COLOURS[part]}"/>')
            x += width
    drawn.append(_text((left + WIDTH - RIGHT) / 2, height - 12, x_title))
    return _page(title, drawn + _legend(list(zip(parts_of, COLOURS))), height)
