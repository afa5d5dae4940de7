"""Lines over time as a PNG, drawn with what is installed anyway."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIZE, EDGE = (900, 320), 50
INKS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8a5cb8")


def plot(path: Path, title: str, seconds: NDArray[Any], lines: NDArray[Any], half: float) -> None:
    """``lines`` (n, len(seconds)) in milliseconds, the axis from ``-half`` to ``half``."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    wide, high = SIZE[0] - 2 * EDGE, SIZE[1] - 2 * EDGE
    for k in range(-2, 3):
        y = EDGE + high * (0.5 - k / 4)
        draw.line((EDGE, y, EDGE + wide, y), "#dddddd" if k else "#888888")
        draw.text((4, y - 6), f"{k * half / 2:+.3g}", "black")
    draw.text((EDGE, 12), f"{title}: each card's offset from the mean, ms, over seconds", "black")
    last = float(seconds[-1])
    for tick in range(0, int(last) + 1, 10):
        draw.text((EDGE + wide * tick / last, SIZE[1] - EDGE + 6), str(tick), "black")
    for ink, line in zip(INKS, lines, strict=False):
        points: list[tuple[float, float]] = []
        for t, value in zip(seconds, line, strict=True):
            if np.isnan(value):
                points = []
                continue
            y = EDGE + high * (0.5 - max(-1.0, min(1.0, value / half)) / 2)
            points.append((EDGE + wide * t / last, y))
            if len(points) > 1:
                draw.line(points[-2:], ink, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
