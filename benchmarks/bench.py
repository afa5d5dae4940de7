"""What every benchmark shares: a table for people and a JSON document for machines.

A benchmark measures its baseline beside itself in the same run: figures of two machines, or of two
days, are not comparable, their ratios are.
"""

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Metric:
    """One figure; ``ratio`` is value over baseline, null where there is none to compare."""

    value: float
    unit: str
    baseline: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the baseline this is."""
        return self.value / self.baseline if self.baseline else None


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that a share ``q`` of ``values`` does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def report(name: str, metrics: dict[str, Metric], note: str = "") -> None:
    """Print the table and write ``results/NAME.json``."""
    print(f"\n{name}" + (f": {note}" if note else ""))
    print(f"  {'':34}{'value':>12} {'baseline':>12} {'ratio':>8}")
    for key, metric in metrics.items():
        baseline = "" if metric.baseline is None else f"{metric.baseline:.4g}"
        ratio = "" if metric.ratio is None else f"{metric.ratio:.3g}"
        print(f"  {key:34}{metric.value:>12.4g} {baseline:>12} {ratio:>8}  {metric.unit}")
    RESULTS.mkdir(exist_ok=True)
    document = {
        "machine": f"{platform.machine()} {platform.python_implementation()} "
        f"{platform.python_version()}",
        "metrics": {key: {**asdict(m), "ratio": m.ratio} for key, m in metrics.items()},
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
