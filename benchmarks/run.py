"""Runs the benchmarks, each in a process of its own, and writes results.json, the table and the picture.

`make bench` calls it; `make bench ROWS="P4 P12"` measures these rows only and leaves the others as they were.
"""

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.harness import Result, number

HERE = Path(__file__).resolve().parent
SCRIPTS = {
    "p12_loop_overhead": ["P12"],
    "p04_training_step": ["P4"],
    "p05_predictions": ["P5"],
    "p08_predict_one": ["P8"],
    "p09_augmentation": ["P9"],
    "p10_import_time": ["P10"],
    "p06_first_pass": ["P6"],
    "p01_frozen_epoch": ["P1", "P2"],
    "p07_lr_find": ["P7"],
    "p03_fine_tune": ["P3"],
    "p13_two_processes": ["P13"],
    "p14_first_answer": ["P14"],
    "p15_whole_way": ["P15"],
    "p11_scale": ["P11"],
}
MARKS = "<!-- results: written by benchmarks/run.py -->", "<!-- end of results -->"


def chosen(rows: list[str]) -> list[str]:
    """The scripts that measure these rows; all of them if none is named. Raises SystemExit for an unknown row."""
    known = {row for covered in SCRIPTS.values() for row in covered}
    if unknown := set(rows) - known:
        sys.exit(f"There is no row {', '.join(sorted(unknown))}: choose from {', '.join(sorted(known, key=_order))}.")
    return [script for script, covered in SCRIPTS.items() if not rows or set(rows) & set(covered)]


def _order(row: str) -> int:
    return int(row[1:])


def run_script(script: str) -> list[dict[str, Any]] | None:
    """The rows that a script wrote, or None if it failed; what it prints is seen at once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{script}", "--json", str(file)]
        done = subprocess.run(command, cwd=HERE.parent, check=False)
        return json.loads(file.read_text("utf-8")) if done.returncode == 0 else None


def machine() -> dict[str, Any]:
    """What the figures were measured on and with."""
    versions = {name: version(name) for name in ("torch", "torchvision", "timm", "fastai", "pillow")}
    return {"processor": processor(), "processors": os.cpu_count(), "python": platform.python_version(), **versions}


def version(package: str) -> str:
    """The version of a package that is installed; fastai is needed by some rows only."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """The processor's name, as well as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text("utf-8")) if cpuinfo.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def as_result(row: dict[str, Any]) -> Result:
    """A `Result` from its JSON."""
    return Result(**{field.name: row[field.name] for field in fields(Result) if field.name in row})


def table(results: list[Result]) -> str:
    """The results as a Markdown table, notes below it."""
    lines = ["| # | what | against | precision | reach | measured | |", "|---|---|---|---|---|---|---|"]
    for r in results:
        verdict = "" if r.aim is None else "reached" if r.reached else "**not reached**"
        cells = (r.row, r.what, r.against, r.precision or "-", r.aim_text(), number(r.value, r.unit), verdict)
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- {r.row}, {r.what}: {'; '.join(r.notes)}" for r in results]
    return "\n".join([*lines, "", *notes])


def write_table(file: Path, results: list[Result], facts: dict[str, Any]) -> None:
    """Puts the table, and what it was measured on, between the two marks in `file`."""
    head, rest = file.read_text("utf-8").split(MARKS[0])
    tail = rest.split(MARKS[1])[1]
    on = ", ".join(f"{name} {value}" for name, value in facts.items())
    text = f"{MARKS[0]}\nMeasured on: {on}.\n\n{table(results)}\n{MARKS[1]}"
    file.write_text(head + text + tail, encoding="utf-8")


def margin(result: Result) -> float:
    """How many times as good as its aim a figure is: 1 is just reached."""
    assert result.aim is not None
    if result.unit == "% more":  # may be negative
        return (100 + result.aim) / (100 + result.value)
    least = result.aim / 100  # a figure of 0 has no place on a logarithmic axis
    return result.aim / max(result.value, least) if result.at_most else max(result.value, least) / result.aim


def picture(results: list[Result]) -> Figure:
    """Each figure as a multiple of its aim: right of the line it is reached."""
    rows = [r for r in results if r.aim is not None][::-1]
    margins = [min(max(margin(r), 1 / 6), 24) for r in rows]  # what lies beyond is drawn at the edge
    figure = Figure(figsize=(10, 0.42 * len(rows) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    for y, (r, value) in enumerate(zip(rows, margins, strict=True)):
        colour, marker = ("#0072B2", "o") if r.reached else ("#D55E00", "X")
        axes.plot([1, value], [y, y], color=colour, linewidth=3, alpha=0.5)
        axes.plot(value, y, marker, color=colour, markersize=9)
        side = 8 if value >= 1 else -8
        axes.annotate(
            number(r.value, r.unit),
            (value, y),
            (side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if value >= 1 else "right",
            fontsize=9,
        )
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(min(0.5, *margins) / 2.5, max(2.0, *margins) * 2.5)
    axes.set_xticks(ticks := [t for t in (0.25, 0.5, 1, 2, 4, 8, 16) if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]])
    axes.set_xticklabels([f"{t:g}x" for t in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), [f"{r.row}  {r.what}  ({r.aim_text()})" for r in rows], fontsize=9)
    axes.set(xlabel="how many times as good as the aim (log scale)")
    figure.suptitle("Is the aim reached? Dots right of the line say yes, crosses left of it no", fontsize=12)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def main(rows: list[str]) -> int:
    start, file = time.perf_counter(), HERE / "results.json"
    scripts = chosen(rows)
    old = json.loads(file.read_text("utf-8"))["rows"] if file.exists() else []
    new = {script: run_script(script) for script in scripts}
    measured = {row for script, found in new.items() if found is not None for row in SCRIPTS[script]}
    kept = [row for row in old if row["row"] not in measured]
    everything = sorted(kept + [row for found in new.values() for row in found or []], key=lambda r: _order(r["row"]))
    results, facts = [as_result(row) for row in everything], machine()
    file.write_text(json.dumps({"machine": facts, "rows": everything}, indent=1) + "\n", encoding="utf-8")
    write_table(HERE / "README.md", results, facts)
    picture(results).savefig(HERE / "results.png", dpi=110)
    print(f"{(time.perf_counter() - start) / 60:.1f} minutes")
    if failed := [script for script, found in new.items() if found is None]:
        print("These failed, see above:", *failed)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
