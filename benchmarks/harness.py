"""Two programs timed side by side: alternating pairs, medians, and a result that knows whether its aim is reached.

A unit of work is a function without arguments that prepares what it needs, and returns the seconds that the part which
matters took. All figures are ratios or differences within a pair: absolute times mean little on a shared machine.
"""

import argparse
import contextlib
import io
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch

from coursekit.core import default_device
from coursekit.training.precision import choose_precision

Work = Callable[[], float]
Pair = tuple[float, float]  # seconds: coursekit's, and what it is compared with


class Timer:
    """`with Timer() as timer: ...`, then `timer.seconds`. Waits for the accelerator at both ends, if there is one."""

    def __enter__(self) -> "Timer":
        _wait()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        _wait()
        self.seconds = time.perf_counter() - self._start


def _wait() -> None:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Tables, bars and warnings of both sides go nowhere."""
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def side_by_side(ours: Work, theirs: Work, pairs: int, warm_up: bool = True) -> list[Pair]:
    """Seconds of both, `pairs` times, first one first and then the other; a pair before these is thrown away."""
    found = []
    for i in range(pairs + warm_up):
        first, second = (ours, theirs) if i % 2 else (theirs, ours)
        a, b = first(), second()
        found.append((a, b) if i % 2 else (b, a))
    return found[warm_up:]


@dataclass
class Result:
    """One row of the table: what was measured, against what, and how far it came.

    `value` is in `unit`, such as "x" (times as fast), "%" (share of the limit's speed), "% more", "ms", "s". `aim` is
    in the same unit, to be reached from above, or from below where `at_most`; None for a figure beside the table's.
    `precision`: what ours computes in, and the other side, such as "bf16 / fp32".
    """

    row: str
    what: str
    against: str
    value: float
    unit: str
    aim: float | None
    at_most: bool = False
    pairs: list[Pair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    precision: str = ""

    @property
    def reached(self) -> bool:
        if self.aim is None:
            return True
        return self.value <= self.aim if self.at_most else self.value >= self.aim

    def line(self) -> str:
        """The result in one line, and its notes below."""
        verdict = "" if self.aim is None else f", aim {self.aim_text()}: {'reached' if self.reached else 'NOT reached'}"
        formats = f" ({self.precision})" if self.precision else ""
        head = f"{self.row}: {self.what}, against {self.against}{formats}: {number(self.value, self.unit)}{verdict}"
        return "\n".join([head, *(f"    {note}" for note in self.notes)])

    def aim_text(self) -> str:
        """The aim as the table words it."""
        return "-" if self.aim is None else f"at {'most' if self.at_most else 'least'} {number(self.aim, self.unit)}"


def number(value: float, unit: str) -> str:
    """A value with its unit: three digits are enough."""
    space = "" if unit[0] in "x%" else " "
    return f"{value:.0f}{space}{unit}" if abs(value) >= 20 else f"{value:.3g}{space}{unit}"


def times_as_fast(pairs: list[Pair]) -> float:
    """How many times as fast ours is: the median over pairs."""
    return median(theirs / ours for ours, theirs in pairs)


def share_of_limit(pairs: list[Pair]) -> float:
    """Our speed in percent of the limit's: the median over pairs."""
    return 100 * times_as_fast(pairs)


def spread(pairs: list[Pair]) -> str:
    """The pairs' ratios, lowest and highest: how far to trust the median."""
    ratios = [theirs / ours for ours, theirs in pairs]
    return f"{len(pairs)} pairs, ratios {min(ratios):.3g} to {max(ratios):.3g}"


def precisions(theirs: str = "fp32") -> str:
    """The precision that coursekit's training chooses on this machine, and that of the other side; fastai's is fp32."""
    return f"{choose_precision(default_device()).value} / {theirs or choose_precision(default_device()).value}"


def load() -> str:
    """What else the machine had to do: processes that wanted to run, over the last minute, and processors."""
    busy = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"load {busy} on {os.cpu_count()} processors, {torch.get_num_threads()} threads"


def run(measure: Callable[..., list[Result]], options: dict[str, Callable[[str], Any]] | None = None) -> None:
    """The `main` of every script: measure, print, and write JSON where `--json FILE` says.

    `options`: names of arguments of `measure` that the command line may give, as `--name VALUE`, and their types.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    for name, kind in (options or {}).items():
        parser.add_argument(f"--{name}", type=kind)
    given = vars(parser.parse_args())
    file = given.pop("json")
    results = measure(**{name: value for name, value in given.items() if value is not None})
    for result in results:
        result.notes.append(load())
        print(result.line(), flush=True)
    if file:
        rows = [asdict(result) | {"reached": result.reached} for result in results]
        file.write_text(json.dumps(rows, indent=1), encoding="utf-8")
