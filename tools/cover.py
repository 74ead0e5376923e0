"""The picture at the top of the README and of lesson 0, put together from what the executed lesson 0 drew."""

import base64
from io import BytesIO

from nbformat import NotebookNode
from PIL import Image

from tools.notebooks import NBS

LESSON = NBS / "00_start_here.ipynb"
COVER = NBS / "images" / "start_here.png"
SHOWN = ("show_batch(", "plot_confusion_matrix(")  # side by side, from left to right
HEIGHT = 420
GAP = 24


def write_cover(lesson: NotebookNode) -> None:
    """Write nbs/images/start_here.png from the outputs of lesson 0."""
    pictures = [drawn_by(lesson, call) for call in SHOWN]
    scaled = [picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT)) for picture in pictures]
    cover = Image.new("RGB", (sum(p.width for p in scaled) + GAP * (len(scaled) - 1), HEIGHT), "white")
    left = 0
    for picture in scaled:
        cover.paste(picture, (left, 0))
        left += picture.width + GAP
    cover.quantize(128).save(COVER, optimize=True)  # grey photos and few colours: a palette is enough


def drawn_by(lesson: NotebookNode, call: str) -> Image.Image:
    """The picture below the first cell of the lesson that contains `call`."""
    for cell in lesson.cells:
        pictures = [
            output.data["image/png"] for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
        ]
        if call in cell.source and pictures:
            return Image.open(BytesIO(base64.b64decode(pictures[0]))).convert("RGB")
    raise ValueError(f"no cell of lesson 0 draws something with {call}...)")
