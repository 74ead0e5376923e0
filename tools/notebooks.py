"""Finding, executing and cleaning notebooks: what the tests, `make render` and the README maker share."""

import base64
import io
import os
import re
import time
from pathlib import Path

import nbformat
import numpy as np
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class NotebookFailure(Exception):
    """A notebook that did not run to its end: says which notebook, which cell, and what happened there."""


def find_notebooks(folder: Path = NBS) -> list[Path]:
    """Every notebook below `folder`, in reading order; JupyterLab's checkpoints are not among them."""
    return sorted(p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def execute(path: Path, seconds: float, first: str = "") -> NotebookNode:
    """Run the notebook at `path` in a kernel of its own, in its own folder, and return it with its outputs.

    `seconds` is the limit for the whole notebook, `first` a line of Python for the kernel to begin with. Raises
    `NotebookFailure`.
    """
    notebook = read(path)
    deadline = time.monotonic() + seconds
    reached = [0]

    def remember(cell: NotebookNode, cell_index: int) -> None:
        reached[0] = cell_index

    client = NotebookClient(
        notebook,
        kernel_name=NATIVE_KERNEL_NAME,
        timeout_func=lambda cell: max(1, round(deadline - time.monotonic())),
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=remember,
        extra_arguments=["--log-level=40", *([f"--IPKernelApp.exec_lines={first}"] if first else [])],
    )
    try:
        client.execute(env=kernel_environment())
    except CellExecutionError as error:
        raise NotebookFailure(_report(path, notebook, reached[0], str(error))) from None
    except CellTimeoutError:
        raise NotebookFailure(_report(path, notebook, reached[0], f"not done after {seconds:.0f} s")) from None
    except DeadKernelError:
        raise NotebookFailure(_report(path, notebook, reached[0], "the kernel died (out of memory?)")) from None
    return notebook


def kernel_environment() -> dict[str, str]:
    """This process's environment for a kernel, with the plots going where Jupyter wants them."""
    return {name: value for name, value in os.environ.items() if name != "MPLBACKEND"} | {"IN_TEST": "1"}


def _report(path: Path, notebook: NotebookNode, index: int, what: str) -> str:
    source = "\n".join("    " + line for line in notebook.cells[index].source.splitlines())
    return f"{path.name}, cell {index}:\n{source}\n\n{what}"


def make_steady(notebook: NotebookNode) -> None:
    """Take out of the outputs what differs from run to run: widgets, how long an epoch took, where caches lie."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # a widget's output can be shown only by the kernel that made it
            kept = [output for output in cell.outputs if WIDGET_VIEW not in output.get("data", {})]
            cell.outputs = [output for output in _joined(kept) if _steady_text(output)]
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = _packed(output.data["image/png"])


def _packed(png: str) -> str:
    "The same pixels and the same words in fewer bytes: grey where all is grey, and compressed as well as can be."
    raw = base64.b64decode(png)
    with Image.open(io.BytesIO(raw)) as image:
        words, smaller = PngInfo(), io.BytesIO()
        for name, text in image.text.items():
            words.add_text(name, text)
        grey = image.mode == "RGB" and not np.ptp(np.asarray(image), axis=2).any()
        (image.convert("L") if grey else image).save(smaller, "png", pnginfo=words, optimize=True)
    return base64.b64encode(min(raw, smaller.getvalue(), key=len)).decode()


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    "Printed lines in one piece again, where a progress bar had come between them."
    joined: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _steady_text(output: NotebookNode) -> bool:
    "Take the moving parts out of printed text, in place; whether anything is left."
    if output.output_type != "stream":
        return True
    if re.search(r"^epoch\b.* time$", output.text, re.MULTILINE):
        output.text = re.sub(r" +(time|\d+:\d\d|-)$", "", output.text, flags=re.MULTILINE)
    output.text = re.sub(r"^Presized .*\n", "", output.text, flags=re.MULTILINE)  # names a folder of this machine
    return bool(output.text)
