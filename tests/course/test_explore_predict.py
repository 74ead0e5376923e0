"""The box for photos of one's own, without a browser: what it says about good files and bad ones."""

import io
from datetime import datetime, timezone

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from coursekit.core import DataError
from coursekit.course.explore_predict import (
    MAX_BYTES,
    describe_prediction,
    draw_prediction,
    predict_box,
    predict_picture,
    prediction_state,
    predict_uploads,
    error_words,
)
from coursekit.images import open_image

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Constant:
    """Predicts the same for every image that opens."""

    def __init__(self, probs: list[float]):
        self.probs, self.vocab = torch.tensor(probs), [f"class {i}" for i in range(len(probs))]

    def predict(self, source):
        open_image(source)
        index = int(self.probs.argmax())
        return self.vocab[index], index, self.probs


class Fails:
    vocab = ("a", "b")

    def predict(self, source):
        raise RuntimeError("the weights are gone")


def photo(kind: str = "jpeg", size: tuple[int, int] = (80, 60)) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, kind)
    return file.getvalue()


def upload(name: str, content: bytes) -> dict:
    """A file as ipywidgets 8 hands it over."""
    return {
        "name": name,
        "type": "image/jpeg",
        "size": len(content),
        "content": memoryview(content),
        "last_modified": NOW,
    }


def test_the_most_likely_classes_come_first_and_the_rest_is_counted():
    state = prediction_state(Constant([0.1, 0.5, 0.05, 0.25, 0.1]), photo(), "cat.jpg", k=2)
    assert state["label"] == "class 1" and state["names"] == ["class 1", "class 3"]
    assert state["probs"] == pytest.approx([0.5, 0.25]) and state["rest"] == pytest.approx(0.25)
    assert prediction_state(Constant([0.4, 0.6]), photo())["rest"] is None
    said = describe_prediction(state)
    assert all(part in said for part in ("cat.jpg", "class 1", "0.5", "class 3", "0.25"))


def test_the_picture_has_a_bar_for_each_class_on_one_scale():
    figure = draw_prediction(prediction_state(Constant([0.1, 0.5, 0.05, 0.25, 0.1]), photo(), k=2))
    assert isinstance(figure, Figure)
    bars = figure.axes[1]
    assert [patch.get_width() for patch in bars.patches] == pytest.approx([0.5, 0.25, 0.25])
    assert bars.get_xlim() == draw_prediction(prediction_state(Constant([0.9, 0.1]), photo())).axes[1].get_xlim()


def test_a_learner_and_its_export_say_the_same(make_lite0_learner, tmp_path):
    from coursekit.export.folder import load_learner

    learner = make_lite0_learner()
    learner.export(tmp_path / "model")
    said = [prediction_state(p, photo("png")) for p in (learner, load_learner(tmp_path / "model"))]
    assert said[0]["names"] == said[1]["names"] and said[0]["probs"] == pytest.approx(said[1]["probs"])


BAD = {
    "notes.txt": (b"dear diary", "looks like text"),
    "page.jpg": (b"<!DOCTYPE html><html></html>", "HTML"),
    "empty.jpg": (b"", "empty"),
    "half.jpg": (photo()[:1500], "half.jpg"),
    "half.png": (photo("png")[:3000], "half.png"),
    "huge.jpg": (photo() + b"\0" * MAX_BYTES, "10 MB"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_file_is_said_and_the_others_are_shown(name):
    content, said = BAD[name]
    first, second = predict_uploads(Constant([0.3, 0.7]), [upload(name, content), upload("good.jpg", photo())])
    assert first[1] is None and said in first[2] and name in first[2] and "Traceback" not in first[2]
    assert second[1] is not None and "class 1" in second[2]


def test_an_image_too_large_to_decode_is_refused_in_words():
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "png")
    _, picture, words = predict_uploads(Constant([0.3, 0.7]), [upload("bomb.png", file.getvalue())])[0]
    assert picture is None and "pixels" in words


def test_errors_of_the_model_are_said_too():
    assert "the weights are gone" in predict_uploads(Fails(), [upload("a.jpg", photo())])[0][2]
    assert error_words(DataError("what", "the cause.", "remedy")) == "What. The cause. Remedy."


def test_the_box_shows_a_result_for_each_file_and_raises_nothing(capsys):
    box = predict_box(Constant([0.3, 0.7]))
    button, results = box.children
    assert button.multiple and button.accept == "image/*" and not results.children
    button.value = (upload("a.jpg", photo()), upload("<b>.txt", b"text"))
    good, bad = results.children
    assert bytes(good.children[0].value).startswith(b"\x89PNG") and "class 1" in good.children[1].value
    assert "alert" in bad.value and "&lt;b&gt;.txt" in bad.value and "<b>" not in bad.value
    button.value = (upload("b.jpg", photo()),)
    assert len(results.children) == 1
    assert capsys.readouterr() == ("", "")


def test_the_picture_for_readers_raises_what_is_wrong(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(photo())
    assert "cat.jpg" in predict_picture(Constant([0.3, 0.7]), tmp_path / "cat.jpg").alt
    with pytest.raises(DataError):
        predict_picture(Constant([0.3, 0.7]), tmp_path / "dog.jpg")


def test_dollars_in_names_are_no_formula():
    photo = Image.new("RGB", (9, 9))
    state = {"name": r"$\foo$.jpg", "label": r"$\bar$", "names": [r"$\bar$", "$b$"], "probs": [0.75, 0.25]}
    figure = draw_prediction({**state, "rest": None, "thumbnail": photo})
    FigureCanvasAgg(figure).draw()
