"""The guilloche frame of a certificate as PDF operators, computed once per process.

A border drawn as inline SVG costs 200 ms a page; as a form XObject of a repeated tile it costs less than 1 ms and a few
kilobytes. The frame is decoration, so it is written as an artifact that screen readers skip.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin

MM = 72 / 25.4

_GREEN = (0.059, 0.298, 0.271)
_MIST = (0.50, 0.67, 0.63)
_GOLD = (0.690, 0.545, 0.247)
_WHISPER = (0.905, 0.937, 0.925)
_CREAM = (0.965, 0.943, 0.890)

_TILE = 13 * MM  # the aimed length of one period of the border
_BAND = 9.5 * MM  # the border's width
_INSET = 9 * MM  # from the paper's edge to the border

Curve = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Drawing:
    """A form XObject: its operators, its box in points, and the drawings that it places by name."""

    operators: bytes
    box: tuple[float, float, float, float]
    parts: tuple[tuple[str, "Drawing"], ...] = ()


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _color(color: tuple[float, float, float]) -> str:
    return " ".join(f"{channel:.3f}" for channel in color) + " RG"


def _curve(point: Curve, start: float, end: float, steps: int) -> Iterator[str]:
    """Yield the operators of a smooth line: `steps` Bézier arcs along the curve."""
    width = (end - start) / steps
    nudge = width / 64

    def direction(t: float) -> tuple[float, float]:
        (x0, y0), (x1, y1) = point(t - nudge), point(t + nudge)
        return (x1 - x0) / (2 * nudge), (y1 - y0) / (2 * nudge)

    x, y = point(start)
    yield f"{_number(x)} {_number(y)} m"
    for step in range(steps):
        t0, t1 = start + step * width, start + (step + 1) * width
        (x0, y0), (x1, y1) = point(t0), point(t1)
        (dx0, dy0), (dx1, dy1) = direction(t0), direction(t1)
        third = width / 3
        handles = (x0 + dx0 * third, y0 + dy0 * third, x1 - dx1 * third, y1 - dy1 * third, x1, y1)
        yield " ".join(_number(value) for value in handles) + " c"
    yield "S"


def _strand(length: float, amplitude: float, phase: float, turns: int) -> Curve:
    """Return a wave along the border, periodic in height too: tiles join without a seam."""

    def point(x: float) -> tuple[float, float]:
        angle = 2 * pi * x / length
        return x, amplitude * (0.72 + 0.28 * cos(angle)) * sin(turns * angle + phase)

    return point


def _tile(length: float) -> Drawing:
    """Draw one period of the border, centred on its middle line."""
    half = _BAND / 2
    lines: list[str] = ["0.28 w", _color(_MIST)]
    for phase in range(6):
        lines += _curve(_strand(length, half * 0.86, phase * pi / 3, 2), 0, length, 20)
    lines += ["0.34 w", _color(_GREEN)]
    for phase in range(4):
        lines += _curve(_strand(length, half * 0.80, phase * pi / 2, 1), 0, length, 14)
    lines += ["0.42 w", _color(_GOLD)]
    for sign in (0.0, pi):
        lines += _curve(_strand(length, half * 0.34, sign, 1), 0, length, 12)
    return Drawing("\n".join(lines).encode(), (-0.5, -half, length + 0.5, half))


def _rose(radius: float, petals: int, depth: float, turn: float = 0.0) -> Curve:
    """Return a closed rosette line with that number of petals."""

    def point(t: float) -> tuple[float, float]:
        reach = radius * (1 - depth + depth * cos(petals * t + turn))
        return reach * cos(t), reach * sin(t)

    return point


def _corner(radius: float) -> Drawing:
    """Draw the rosette over the corner where two borders meet."""
    lines = ["1 1 1 rg", *_curve(_rose(radius, 1, 0), 0, 2 * pi, 16)]
    lines[-1] = "f"
    lines += ["0.26 w", _color(_MIST)]
    for turn in range(5):
        lines += _curve(_rose(radius * 0.96, 12, 0.24, turn * 2 * pi / 5), 0, 2 * pi, 96)
    lines += ["0.34 w", _color(_GREEN)]
    for turn in range(4):
        lines += _curve(_rose(radius * 0.66, 8, 0.34, turn * pi / 2), 0, 2 * pi, 64)
    lines += ["0.42 w", _color(_GOLD)]
    for turn in range(2):
        lines += _curve(_rose(radius * 0.40, 8, 0.46, turn * pi), 0, 2 * pi, 64)
    return Drawing("\n".join(lines).encode(), (-radius, -radius, radius, radius))


def _medallion(radius: float) -> Drawing:
    """Draw the pale rosette behind the text."""
    lines = ["0.5 w", _color(_WHISPER)]
    for turn in range(6):
        lines += _curve(_rose(radius, 18, 0.16, turn * pi / 3), 0, 2 * pi, 144)
    for turn in range(6):
        lines += _curve(_rose(radius * 0.70, 12, 0.30, turn * pi / 3), 0, 2 * pi, 96)
    lines += ["0.55 w", _color(_CREAM)]
    for turn in range(4):
        lines += _curve(_rose(radius * 0.44, 8, 0.42, turn * pi / 2), 0, 2 * pi, 64)
    return Drawing("\n".join(lines).encode(), (-radius, -radius, radius, radius))


def _place(name: str, a: float, b: float, c: float, d: float, x: float, y: float) -> str:
    return f"q {' '.join(_number(v) for v in (a, b, c, d))} {x:.3f} {y:.3f} cm /{name} Do Q"


@lru_cache(maxsize=4)
def guilloche(width: float, height: float) -> Drawing:
    """Draw the frame of a page (size in points): four sides, four rosettes, a medallion."""
    corner = _BAND / 2 + 4.6 * MM
    middle = _INSET + _BAND / 2
    across, up = width - 2 * middle, height - 2 * middle
    columns, rows = round(across / _TILE), round(up / _TILE)
    flat, tall = _tile(across / columns), _tile(up / rows)
    operators = [_place("Medallion", 1, 0, 0, 1, width / 2, height / 2)]
    for column in range(columns):
        for y in (middle, height - middle):
            operators.append(_place("Flat", 1, 0, 0, 1, middle + column * across / columns, y))
    for row in range(rows):
        for x in (middle, width - middle):
            operators.append(_place("Tall", 0, 1, -1, 0, x, middle + row * up / rows))
    operators += ["0.9 w", _color(_GREEN), *_rectangle(width, height, _INSET - 1.1 * MM)]
    operators += ["0.35 w", _color(_GOLD), *_rectangle(width, height, _INSET - 0.3 * MM)]
    operators += ["0.35 w", _color(_GOLD), *_rectangle(width, height, _INSET + _BAND + 0.3 * MM)]
    operators += ["0.7 w", _color(_GREEN), *_rectangle(width, height, _INSET + _BAND + 1.1 * MM)]
    for x in (middle, width - middle):
        for y in (middle, height - middle):
            operators.append(_place("Corner", 1, 0, 0, 1, x, y))
    parts = (("Medallion", _medallion(58 * MM)), ("Flat", flat), ("Tall", tall), ("Corner", _corner(corner)))
    return Drawing("\n".join(operators).encode(), (0, 0, width, height), parts)


def _rectangle(width: float, height: float, inset: float) -> list[str]:
    sides = (inset, inset, width - 2 * inset, height - 2 * inset)
    return [" ".join(_number(value) for value in sides) + " re S"]
