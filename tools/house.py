"""The floors of the package, top floor first: the one list for the tests and for the table of modules in README."""

import ast
import re
from typing import NamedTuple

from tools.notebooks import ROOT


class Floor(NamedTuple):
    """A package (none for loose modules), the question it answers, its modules from top to bottom, and its name."""

    package: str
    question: str
    modules: tuple[str, ...]
    name: str = ""


HOUSE = (
    Floor("", "How does somebody else use it?", ("app", "predict"), "doors"),
    Floor(
        "course",
        "How do I learn it?",
        (
            *("explore_predict", "explore_confusion", "explore_freezing", "explore_cycle", "explore_finder"),
            *("explore_loss", "checker", "catalogues.start", "catalogues.primer", "catalogues.files"),
            *("catalogues.loading", "catalogues.augment", "catalogues.data", "catalogues.losses"),
            *("catalogues.loop", "catalogues.lr_finder", "catalogues.schedule", "catalogues.transfer"),
            *("catalogues.interpret", "catalogues.export", "catalogues.case_study", "catalogues.precision"),
            *("catalogues.distributed", "catalogues.cases"),
            *("exercises", "calls", "comparison", "progress", "quiz", "widgets", "canvas"),
        ),
    ),
    Floor(
        "results",
        "What did it get wrong, and why?",
        ("cleaning", "decisions", "interpret", "confusion", "saliency", "calibration", "compare"),
    ),
    Floor(
        "training",
        "How does it learn?",
        (
            *("learner", "distributed", "upkeep", "live", "predict", "loop", "monitors", "checkpoint", "optimisers"),
            *("transfer", "summary", "logs", "recorder", "schedule", "faults", "callbacks", "lr_finder"),
            *("consistency", "precision"),
        ),
    ),
    Floor("export", "How do I hand it over?", ("folder", "predictor", "tables", "onnx", "schema")),
    Floor("models", "What learns?", ("inference", "model", "weights", "bodies")),
    Floor(
        "data",
        "Where do batches come from?",
        (
            *("shortcuts", "block", "summary", "loaders", "workers", "audit", "findings", "items", "batches", "facts"),
            *("splits", "tables_in", "places", "files", "cache"),
        ),
    ),
    Floor("augment", "How do images vary?", ("pipeline", "functions", "mix", "colour", "geometry", "resize")),
    Floor("datasets", "What can I practise on?", ("catalogue", "fetch")),
    Floor(
        "",
        "What does everyone use?",
        ("metrics", "losses", "images", "bands", "formats", "arguments", "plot", "text", "core"),
        "ground",
    ),
)


def module_names() -> list[str]:
    """Returns the dotted names of all modules below `coursekit`, top to bottom: a module imports from later ones."""
    return [f"{floor.package}.{name}".lstrip(".") for floor in HOUSE for name in floor.modules]


def house_table() -> str:
    """Returns the table of all modules for README: the first sentence of each module's docstring, and its notebook."""
    rows = ["| | module | what is in it | made in |", "|---|---|---|---|"]
    for floor in HOUSE:
        for i, name in enumerate(floor.modules):
            dotted = f"{floor.package}.{name}".lstrip(".")
            package = f"**{floor.name or floor.package}**: {floor.question}" if i == 0 else ""
            rows.append(f"| {package} | `{dotted}` | {_summary(dotted)} | {_notebook(dotted)} |")
    return "\n".join(rows)


def _text(dotted: str) -> str:
    return (ROOT / "coursekit" / f"{dotted.replace('.', '/')}.py").read_text("utf-8")


def _summary(dotted: str) -> str:
    first = (ast.get_docstring(ast.parse(_text(dotted))) or "").split("\n\n")[0]
    return re.split(r"(?<=[.?!])\s", " ".join(first.split()))[0].replace("|", "\\|")


def _notebook(dotted: str) -> str:
    found = re.search(r"File to edit: (?:\.\./)+(nbs/\S+\.ipynb)\.", _text(dotted))
    if found is None:
        raise ValueError(f"coursekit.{dotted} does not say which notebook makes it: run `make export`")
    lesson = re.search(r"nbs/(\d\d)_", found[1])
    return f"[lesson {int(lesson[1])}]({found[1]})" if lesson else f"[notebook]({found[1]})"
