"""`python -m coursekit.app`: a real server on the loopback address, asked as a browser would, and as one would not."""

import http.client
import io
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from export_folders import VOCAB, write_to
from PIL import Image

from coursekit import app
from coursekit.core import ExportError
from coursekit.export.folder import load_learner
from coursekit.images import open_image

pytest.importorskip("werkzeug")


def photo(kind: str = "jpeg", size: tuple[int, int] = (90, 60)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 120, 40)).save(file, kind)
    return file.getvalue()


class Constant:
    """Says the same of every image that opens."""

    def __init__(self, vocab: list[str], probs: list[float]):
        self.vocab, self.probs, self.description = vocab, torch.tensor(probs), {}

    def predict(self, source):
        open_image(source)
        index = int(self.probs.argmax())
        return self.vocab[index], index, self.probs


@contextmanager
def served(predictor) -> Iterator[int]:
    server = app.make_server(predictor, port=0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory):
    folder = write_to(tmp_path_factory.mktemp("exports") / "animals", data_licence="CC BY 4.0 <i>")
    return load_learner(folder)


@pytest.fixture(scope="module")
def port(predictor) -> Iterator[int]:
    with served(predictor) as port:
        yield port


def ask(port: int, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode("utf-8"), reply.headers
    finally:
        connection.close()


def send(port: int, content: bytes, name: str = "my photo.jpg", field: str = "photo", **headers: str):
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--edge--\r\n"
    return ask(port, "POST", "/", body, **{"Content-Type": "multipart/form-data; boundary=edge", **headers})


def test_the_page_asks_for_a_photo_and_for_nothing_from_elsewhere(port: int) -> None:
    status, page, headers = ask(port)
    assert status == 200 and 'type="file"' in page and 'enctype="multipart/form-data"' in page
    assert "cat or dog or hörnchen?" in page and "CC BY 4.0 &lt;i&gt;" in page
    assert "<script" not in page and not re.search(r"(src|href|url\()=?['\"]?(https?:)?//", page)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'") and "script-src" not in str(headers)
    assert headers["Cache-Control"] == "no-store" and "charset=utf-8" in headers["Content-Type"]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "bmp"])
def test_the_answer_is_the_predictor_s(port: int, predictor, kind: str) -> None:
    status, page, _ = send(port, photo(kind))
    label, index, probs = predictor.predict(photo(kind))
    assert status == 200 and f"<h2>{label}, {probs[index]:.0%}</h2>" in page
    shown = re.findall(r"<th scope='row'>(.+?)</th><td><meter min='0' max='1' value='(.+?)'>", page)
    expected = sorted(zip(VOCAB, probs.tolist(), strict=True), key=lambda pair: -pair[1])
    assert [name for name, _ in shown] == [name for name, _ in expected]
    assert [float(value) for _, value in shown] == pytest.approx([p for _, p in expected], abs=1e-4)
    assert 'src="data:image/jpeg;base64,' in page and 'alt="Your photo my photo.jpg"' in page


REFUSED = {
    "text": (b"I am a cat", "not an image"),
    "empty": (b"", "empty"),
    "cut off": (photo("png", (300, 300))[:200], "damaged"),
    "a pickle": (b"\x80\x04\x95" + bytes(40), "not an image"),
    "a page": (b"<html><script>alert(1)</script></html>", "not an image"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_a_photo_is_refused_in_words(port: int, name: str) -> None:
    content, said = REFUSED[name]
    status, page, _ = send(port, content, "cat.jpg")
    alert = re.search('<p class="trouble" role="alert">(.*)</p>', page)
    assert status == 400 and alert and "cat.jpg" in alert[1] and said in alert[1].lower()
    assert "<meter" not in page and "Traceback" not in page


def test_an_image_too_large_to_decode_is_refused(port: int) -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "png")
    status, page, _ = send(port, file.getvalue(), "bomb.png")
    assert status == 400 and "pixels" in page


def test_an_upload_that_is_too_large_is_refused_also_when_it_hides_its_size(port: int) -> None:
    for content in (bytes(app.MAX_BYTES + 1), bytes(app.MAX_BYTES + 2**20)):
        status, page, _ = send(port, content, "huge.jpg")
        assert status == 413 and "10 MB is the most" in page
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    pieces = (b"\0" * 2**16 for _ in range(app.MAX_BYTES // 2**16 + 40))
    start = iter([b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="x.jpg"\r\n\r\n'])
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    try:
        connection.request("POST", "/", (piece for part in (start, pieces) for piece in part), headers)
        assert connection.getresponse().status in (400, 413)
    except ConnectionError:
        pass  # hung up on: refused, too
    finally:
        connection.close()
    assert ask(port)[0] == 200


def test_names_are_escaped_and_many_classes_are_summed_up() -> None:
    vocab = ["<b>bold</b>", *(f"class {i}" for i in range(9))]
    with served(Constant(vocab, [0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01])) as port:
        status, page, _ = send(port, photo(), "<i>.jpg")
    assert status == 200 and "&lt;b&gt;bold&lt;/b&gt;, 40%" in page and "<b>" not in page and "<i>" not in page
    assert page.count("<meter") == 6 and "all others" in page and ">15.0%<" in page
    assert "Which of 10 classes?" in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/coursekit.json", 404), ("GET", "/../model.safetensors", 404), ("DELETE", "/", 405), ("HEAD", "/", 200)],
)
def test_nothing_but_the_page_is_served(port: int, method: str, path: str, status: int) -> None:
    found, _, headers = ask(port, method, path)
    assert found == status and (status != 405 or headers["Allow"] == "GET, HEAD, POST")


def test_a_form_without_a_photo_is_answered_in_words(port: int) -> None:
    assert "No photo came" in send(port, b"", name="")[1]
    assert send(port, photo(), field="other")[0] == 400
    assert ask(port, "POST", "/", b"photo=1", **{"Content-Type": "application/x-www-form-urlencoded"})[0] == 400


def test_a_foreign_name_for_this_computer_is_refused(port: int) -> None:
    """A page elsewhere could let its own name point to 127.0.0.1, and then read what this server says."""
    assert ask(port, Host="evil.example")[0] == 400
    assert send(port, photo(), Host=f"evil.example:{port}")[0] == 400
    assert ask(port, Host=f"localhost:{port}")[0] == 200


def test_only_this_computer_is_listened_to(port: int) -> None:
    server = app.make_server(Constant(["a", "b"], [0.5, 0.5]), port=0)
    assert server.socket.getsockname()[0] == "127.0.0.1"
    server.server_close()


def test_a_port_that_is_taken_is_said_with_another_one(predictor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(ExportError, match=f"--port {number + 1}"):
            app.make_server(predictor, port=number)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(app.importlib.util, "find_spec", lambda name: None)
    assert app.main([str(tmp_path)]) == 2
    assert 'pip install "coursekit[app]"' in capsys.readouterr().err


def test_what_is_no_export_is_refused(tmp_path: Path, capsys) -> None:
    assert app.main([str(tmp_path)]) == 2
    assert "coursekit.json is missing" in capsys.readouterr().err


def test_the_help_has_an_example(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(["--help"])
    assert ended.value.code == 0 and "python -m coursekit.app export/solar_cells" in capsys.readouterr().out


def test_as_a_process_it_says_where_it_is_and_answers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "coursekit.app", write_to(tmp_path / "animals"), "--port", "0"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        address = re.search(r"Open (http://127\.0\.0\.1:\d+) in a browser", line)[1]
        with urllib.request.urlopen(address, timeout=60) as reply:
            assert reply.status == 200 and "cat or dog" in reply.read().decode()
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
