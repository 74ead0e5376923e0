"""Downloads and archives (coursekit.datasets.fetch, untar_data), against a server that means us ill."""

import gzip
import hashlib
import io
import struct
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from loopback import CERTIFICATE, TRUSTED, Server, send, whole

from coursekit.core import DataError, file_sha256, ls
from coursekit.datasets import catalogue as datasets
from coursekit.datasets.catalogue import SOURCES, Source, URLs, show_licence, untar_data
from coursekit.datasets.fetch import RemoteFile, download, unpack

CONTENT = bytes(range(256)) * 1000  # 256,000 bytes: many reads of the client
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def cut_off(after: int) -> Callable[[BaseHTTPRequestHandler], None]:
    "Announces everything, and ends the connection after `after` bytes."
    return lambda handler: send(handler, 200, {"Content-Length": str(len(CONTENT))}, CONTENT[:after])


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    "The test certificate is trusted in the way that users have, and no proxy of the machine comes in between."
    for name, value in TRUSTED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def server(trusted: None) -> Iterator[Server]:
    server = Server(tls=True, content=CONTENT)
    yield server
    server.close()


@pytest.fixture
def plain_server() -> Iterator[Server]:
    server = Server(tls=False, content=CONTENT)
    yield server
    server.close()


def fetch(server: Server, path: Path, *, size: int | None = len(CONTENT), sha256: str = SHA256, **kwargs) -> Path:
    return download(RemoteFile(f"{server.url}/data.bin", sha256, size), path, pauses=(0, 0), **kwargs)


def refused(server: Server, folder: Path, **kwargs) -> str:
    "Download something that must be refused; return the message, after seeing that nothing is left on disk."
    with pytest.raises(DataError) as caught:
        fetch(server, folder / "data.bin", **kwargs)
    assert ls(folder) == [], "the partial file is removed"
    assert caught.value.remedy
    return str(caught.value)


# ---- downloads


def test_a_download_arrives_whole(server, tmp_path):
    path = fetch(server, tmp_path / "new" / "data.bin")
    assert path.read_bytes() == CONTENT and ls(path.parent) == [path]


def test_what_is_there_and_right_is_not_fetched_again_and_what_is_damaged_is(server, tmp_path):
    path = fetch(server, tmp_path / "data.bin")
    fetch(server, path)
    assert len(server.requests) == 1
    path.write_bytes(CONTENT[:-1] + b"x")
    assert fetch(server, path).read_bytes() == CONTENT and len(server.requests) == 2


def test_the_size_and_the_rest_of_the_checksum_may_be_unknown(server, tmp_path):
    assert fetch(server, tmp_path / "data.bin", size=None, sha256=SHA256[:8]).read_bytes() == CONTENT


def test_a_transfer_that_is_cut_off_is_begun_again(server, tmp_path):
    first = iter([cut_off(100_000)])
    server.answer = lambda handler: next(first, whole(CONTENT))(handler)
    assert fetch(server, tmp_path / "data.bin").read_bytes() == CONTENT
    assert [start for _, start in server.requests] == [None, None]


def test_a_transfer_that_is_always_cut_off_is_given_up_with_the_counts(server, tmp_path):
    server.answer = cut_off(1000)
    message = refused(server, tmp_path)
    assert "expected 256,000 bytes" in message and "1000 bytes read, 255000 more expected" in message
    assert len(server.requests) == 3


def test_a_transfer_of_unannounced_length_that_ends_early_is_noticed(server, tmp_path):
    server.answer = lambda handler: send(handler, 200, {}, CONTENT[:1000])
    message = refused(server, tmp_path)
    assert "expected 256,000 bytes" in message and "ended after 1,000 bytes" in message and len(server.requests) == 3


@pytest.mark.parametrize("known", [True, False])
def test_a_length_that_promises_more_than_comes_is_noticed(server, tmp_path, known):
    server.answer = lambda handler: send(handler, 200, {"Content-Length": str(len(CONTENT))}, CONTENT[:5])
    message = refused(server, tmp_path, size=len(CONTENT) if known else None)
    assert "5 bytes read, 255995 more expected" in message
    assert ("expected 256,000 bytes" if known else "unknown size") in message


def test_a_length_that_is_not_a_number_is_refused(server, tmp_path):
    server.answer = lambda handler: send(handler, 200, {"Content-Length": "many"}, CONTENT)
    assert "the server announces many" in refused(server, tmp_path)


def test_a_compressed_answer_that_nobody_asked_for_does_not_pass(server, tmp_path):
    packed = gzip.compress(bytes(10_000_000))  # it grows to far more than was announced
    headers = {"Content-Length": str(len(packed)), "Content-Encoding": "gzip"}
    server.answer = lambda handler: send(handler, 200, headers, packed)
    assert "the server sends more" in refused(server, tmp_path, size=len(packed))


@pytest.mark.parametrize("length", [10**12, len(CONTENT) - 1, 0])
def test_a_length_other_than_the_known_one_is_refused_before_anything_is_read(server, tmp_path, length):
    server.answer = lambda handler: send(handler, 200, {"Content-Length": str(length)}, CONTENT)
    assert f"expected 256,000 bytes; the server announces {length}" in refused(server, tmp_path)
    assert len(server.requests) == 1


def test_a_stream_without_end_is_stopped_at_the_known_size(server, tmp_path):
    def endless(handler: BaseHTTPRequestHandler) -> None:
        send(handler, 200, {})
        for _ in range(200):
            handler.wfile.write(CONTENT)

    server.answer = endless
    assert "expected 256,000 bytes; the server sends more" in refused(server, tmp_path)


def test_a_wrong_checksum_names_both(server, tmp_path):
    server.answer = whole(CONTENT[::-1])
    message = refused(server, tmp_path)
    assert SHA256 in message and hashlib.sha256(CONTENT[::-1]).hexdigest() in message


def test_plain_http_is_refused_where_it_is_written():
    for url in ("http://example.org/a.tgz", "ftp://example.org/a.tgz", "file:///etc/passwd", "a.tgz"):
        with pytest.raises(DataError, match="not an https address"):
            RemoteFile(url, SHA256)


def test_a_redirect_to_http_is_refused_before_it_is_followed(server, plain_server, tmp_path):
    server.answer = lambda handler: send(handler, 302, {"Location": f"{plain_server.url}/data.bin"})
    message = refused(server, tmp_path)
    assert f"{plain_server.url}/data.bin is not an https address" in message and "redirects to it" in message
    assert plain_server.requests == [] and len(server.requests) == 1


def test_a_redirect_to_a_local_file_is_refused(server, tmp_path):
    server.answer = lambda handler: send(handler, 302, {"Location": f"file://{CERTIFICATE}"})
    assert "file:" in (message := refused(server, tmp_path)) and "is not an https address" in message
    assert len(server.requests) == 1


def test_a_redirect_to_https_is_followed(server, tmp_path):
    def moved(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/data.bin":
            return send(handler, 301, {"Location": f"{server.url}/moved.bin"})
        whole(CONTENT)(handler)

    server.answer = moved
    assert fetch(server, tmp_path / "data.bin").read_bytes() == CONTENT


def test_redirects_in_a_circle_end(server, tmp_path):
    server.answer = lambda handler: send(handler, 302, {"Location": f"{server.url}/data.bin"})
    assert "could not be downloaded" in refused(server, tmp_path)


def test_a_server_whose_certificate_nobody_vouches_for_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    message = refused(server, tmp_path)
    assert "CERTIFICATE_VERIFY_FAILED" in message and "SSL_CERT_FILE" in message and server.requests == []


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (503, 3), (429, 3)])
def test_what_may_pass_is_tried_again_and_what_will_not_is_not(server, tmp_path, status, requests):
    server.answer = lambda handler: send(handler, status, {"Content-Length": "0"})
    assert str(status) in refused(server, tmp_path) and len(server.requests) == requests


def test_a_server_that_falls_silent_is_given_up(server, tmp_path):
    silent = threading.Event()
    server.answer = lambda handler: (send(handler, 200, {"Content-Length": str(len(CONTENT))}, b"abc"), silent.wait(20))
    message = refused(server, tmp_path, timeout=0.2)
    silent.set()
    assert "expected 256,000 bytes" in message and "timed out" in message


def test_nobody_at_home_is_told_as_such(server, tmp_path):
    server.close()
    assert "refused" in refused(server, tmp_path).lower()


def test_an_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    server.answer = cut_off(1000)
    monkeypatch.setattr("coursekit.datasets.fetch.time.sleep", lambda seconds: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        fetch(server, tmp_path / "data.bin")
    assert ls(tmp_path) == []


def test_a_file_that_cannot_fit_is_not_begun(server, tmp_path):
    assert "does not fit on the disk" in refused(server, tmp_path, size=10**18)
    assert server.requests == []


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64, SHA256.upper(), SHA256 + "0"])
def test_a_checksum_must_be_one(sha256):
    with pytest.raises(DataError, match="no usable checksum"):
        RemoteFile("https://example.org/a.tgz", sha256)


# ---- archives


def tar_of(*members: tuple[tarfile.TarInfo, bytes], compression: str = "gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_of(**contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in contents.items():
            zipped.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def zip_with_mode(name: str, mode: int, content: bytes = b"") -> bytes:
    buffer, info = io.BytesIO(), zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(info, content)
    return buffer.getvalue()


def header_bomb() -> bytes:
    "A tar archive whose header alone (a pax comment) takes 40 MB of zeros, and next to nothing when compressed."
    name = entry("header", tarfile.XHDTYPE)
    name.size = 40_000_000
    return gzip.compress(name.tobuf(tarfile.USTAR_FORMAT) + bytes(40_000_000), 1)


def encrypted_zip() -> bytes:
    raw = bytearray(zip_of(a=b"secret"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", raw, raw.find(signature) + offset, 1)
    return bytes(raw)


def zip_with_method(method: int) -> bytes:
    raw = bytearray(zip_of(a=b"content"))
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", raw, raw.find(signature) + offset, method)
    return bytes(raw)


GOOD = (entry("images/a.txt"), b"a")
DIRTY_NAMES = ["../escaped", "images/../../escaped", "/tmp/escaped", "..\\escaped", "C:/escaped", "a\nb", "a\x1b[2Jb"]
HOSTILE: dict[str, tuple[bytes, str]] = {
    **{f"tar {name!r}": (tar_of(GOOD, (entry(name), b"!")), "entry") for name in DIRTY_NAMES},
    **{f"zip {name!r}": (zip_of(**{"images/a.txt": b"a", name: b"!"}), "entry") for name in DIRTY_NAMES},
    "folder outside": (tar_of(GOOD, (entry("../escaped/", tarfile.DIRTYPE), b"")), "leads out"),
    "symbolic link out": (tar_of(GOOD, (entry("out", tarfile.SYMTYPE, ".."), b"")), "neither a file nor a folder"),
    "write through a link": (
        tar_of((entry("out", tarfile.SYMTYPE, ".."), b""), (entry("out/escaped"), b"!")),
        "neither a file nor a folder: 'out'",
    ),
    "hard link": (tar_of(GOOD, (entry("b", tarfile.LNKTYPE, "/etc/passwd"), b"")), "neither a file nor a folder"),
    "device": (tar_of(GOOD, (entry("null", tarfile.CHRTYPE), b"")), "neither a file nor a folder"),
    "pipe": (tar_of(GOOD, (entry("pipe", tarfile.FIFOTYPE), b"")), "neither a file nor a folder"),
    "zip symbolic link": (zip_with_mode("out", 0o120777, b"/etc/passwd"), "neither a file nor a folder"),
    "zip device": (zip_with_mode("null", 0o020666), "neither a file nor a folder"),
    "zip with a password": (encrypted_zip(), "password"),
    "zip of an unknown kind": (zip_with_method(99), "damaged"),
    "tar bomb": (tar_of((entry("zeros"), bytes(30_000_000))), "bomb"),
    "zip bomb": (zip_of(zeros=bytes(30_000_000)), "bomb"),
    "bomb in a header": (header_bomb(), "bomb"),
    "too many tar entries": (tar_of(*[(entry(f"{i}"), b"") for i in range(1100)]), "more than 1,000 entries"),
    "too many zip entries": (zip_of(**{f"{i}": b"" for i in range(1100)}), "more than 1,000 entries"),
    "file and folder": (tar_of(GOOD, (entry("images"), b"!")), "could not be unpacked"),
    "name too long": (tar_of(GOOD, (entry("a" * 300), b"!")), "could not be unpacked"),
    "half of a tar": (tar_of(GOOD, (entry("b"), bytes(range(256)) * 400), compression="")[:60_000], "damaged"),
    "half of a tar.gz": (tar_of(GOOD, (entry("b"), hashlib.sha512(b"").digest() * 999))[:-40], "damaged"),
    "half of a zip": (zip_of(a=CONTENT)[:-30], "damaged"),
    "no archive": (b"<!doctype html><title>Not found</title>", "damaged"),
    "nothing": (b"", "damaged"),
}


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_nothing_is_written(tmp_path, name):
    content, cause = HOSTILE[name]
    archive = tmp_path / "archive"
    archive.write_bytes(content)
    with pytest.raises(DataError) as caught:
        unpack(archive, tmp_path / "outer" / "inner", max_entries=1000)
    assert cause in caught.value.cause
    assert everything(tmp_path) == ["archive", "outer", "outer/inner"] and not Path("/tmp/escaped").exists()


def test_a_python_without_the_data_filter_is_told_so(tmp_path, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter")
    (tmp_path / "archive").write_bytes(tar_of(GOOD))
    with pytest.raises(DataError, match=r"no data filter[\s\S]*update Python"):
        unpack(tmp_path / "archive", tmp_path / "folder")
    assert everything(tmp_path) == ["archive", "folder"]


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(DataError, match=r"'none.tar' could not be unpacked: FileNotFoundError"):
        unpack(tmp_path / "none.tar", tmp_path / "folder")


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_a_tar_archive_comes_out_whatever_it_is_called(tmp_path, compression):
    (tmp_path / "archive").write_bytes(
        tar_of((entry("./images/", tarfile.DIRTYPE), b""), (entry("images/a b.txt"), CONTENT), compression=compression)
    )
    folder = unpack(tmp_path / "archive", tmp_path / "new" / "folder")
    assert everything(folder) == ["images", "images/a b.txt"]
    assert (folder / "images" / "a b.txt").read_bytes() == CONTENT


def test_a_zip_archive_comes_out(tmp_path):
    (tmp_path / "archive").write_bytes(zip_of(**{"images/": b"", "images/ä.txt": CONTENT}))
    folder = unpack(tmp_path / "archive", tmp_path / "folder")
    assert everything(folder) == ["images", "images/ä.txt"]
    assert (folder / "images" / "ä.txt").read_bytes() == CONTENT


def test_what_comes_out_has_no_rights_of_its_own(tmp_path):
    member = entry("run.sh")
    member.mode, member.mtime = 0o4777, 10.0**300  # a time that no file can have
    (tmp_path / "archive").write_bytes(tar_of((member, b"#!/bin/sh")))
    assert (unpack(tmp_path / "archive", tmp_path / "folder") / "run.sh").stat().st_mode & 0o7111 == 0


def test_several_archives_fill_one_folder_but_none_overwrites_another(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(tar_of((entry(f"{name}/x.txt"), name.encode()), (entry(f"{name}.txt"), b"")))
    folder = tmp_path / "folder"
    unpack(tmp_path / "a", folder)
    unpack(tmp_path / "b", folder)
    assert everything(folder) == ["a", "a.txt", "a/x.txt", "b", "b.txt", "b/x.txt"]
    (folder / "a.txt").write_text("mine")
    with pytest.raises(DataError, match="holds a 'a"):
        unpack(tmp_path / "a", folder)
    assert (folder / "a.txt").read_text() == "mine"


# ---- data sets


@pytest.fixture
def fresh_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "kit"))
    return tmp_path / "kit"


PETS = {
    "images": tar_of((entry("images/Abyssinian_1.jpg"), b"cat")),
    "annotations": tar_of((entry("annotations/list.txt"), b"x")),
}


@pytest.fixture
def pets(server: Server, fresh_home: Path, monkeypatch) -> Server:
    "The address of the pets, at our server: two small archives."
    files = {f"/{name}.tar.gz": content for name, content in PETS.items()}
    remote = [RemoteFile(server.url + path, hashlib.sha256(c).hexdigest(), len(c)) for path, c in files.items()]
    source = Source("pets", "photos of pets", 1, "CC BY-SA 4.0", "Parkhi et al. 2012", archives=tuple(remote))
    monkeypatch.setitem(SOURCES, "oxford-iiit-pet", source)
    monkeypatch.setattr(URLs, "PETS", remote[0].url)
    server.answer = lambda handler: whole(files[handler.path])(handler)
    return server


def test_the_pets_are_downloaded_once_and_their_licence_is_shown_first(pets, fresh_home, capsys):
    path = untar_data(URLs.PETS)
    assert [child.name for child in ls(path) if child.is_dir()] == ["annotations", "images"]
    assert (path / "images" / "Abyssinian_1.jpg").read_bytes() == b"cat"
    assert "CC BY-SA 4.0" in capsys.readouterr().out
    assert untar_data(URLs.PETS) == path and len(pets.requests) == 2 and capsys.readouterr().out == ""
    assert ls(fresh_home / "downloads") == [], "the archives are not kept"


def test_what_was_fetched_before_an_interruption_is_not_fetched_again(pets, fresh_home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "unpack", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            untar_data(URLs.PETS)
    assert not (fresh_home / "data" / "pets").exists()
    assert (untar_data(URLs.PETS) / "images").is_dir() and len(pets.requests) == 2


def test_a_hostile_archive_from_the_known_address_leaves_no_data_set(pets, fresh_home):
    pets.answer = whole(HOSTILE["write through a link"][0])
    with pytest.raises(DataError, match="is not the file that was expected"):
        untar_data(URLs.PETS)
    assert not (fresh_home / "data" / "pets").exists()


@pytest.mark.parametrize("top", ["", "flowers/"])
def test_data_of_ones_own_needs_a_checksum(server, fresh_home, top):
    archive = tar_of((entry(f"{top}rose/1.jpg"), b"r"), (entry(f"{top}tulip/1.jpg"), b"t"))
    server.answer = whole(archive)
    with pytest.raises(DataError, match="sha256="):
        untar_data(f"{server.url}/flowers.tar.gz")
    path = untar_data(f"{server.url}/flowers.tar.gz", hashlib.sha256(archive).hexdigest())
    assert path.parent == fresh_home / "data" and path.name.startswith("flowers-")
    assert [child.name for child in ls(path) if child.is_dir()] == ["rose", "tulip"]


def test_a_hostile_archive_with_the_right_checksum_is_refused_all_the_same(server, fresh_home):
    archive = HOSTILE["tar '../escaped'"][0]
    server.answer = whole(archive)
    with pytest.raises(DataError, match="leads out"):
        untar_data(f"{server.url}/flowers.tar.gz", hashlib.sha256(archive).hexdigest())
    assert [path.name for path in fresh_home.rglob("*") if path.is_file()] == ["flowers.tar.gz"]
    assert ls(fresh_home / "data") == []


def test_data_of_ones_own_never_takes_the_place_of_something_else(server, fresh_home):
    (fresh_home / "weights").mkdir(parents=True)
    (fresh_home / "weights" / "kept").touch()
    paths = []
    for content in (b"one", b"two"):
        archive = tar_of((entry("file.txt"), content))
        server.answer = whole(archive)
        paths.append(untar_data(f"{server.url}/weights.tar.gz", hashlib.sha256(archive).hexdigest()))
    assert [(path / "file.txt").read_bytes() for path in paths] == [b"one", b"two"]
    assert (fresh_home / "weights" / "kept").exists()


def test_the_real_pets_have_full_checksums_and_sizes():
    assert SOURCES["oxford-iiit-pet"].archives[0].url == URLs.PETS
    for archive in SOURCES["oxford-iiit-pet"].archives:
        assert len(archive.sha256) == 64 and archive.size is not None and archive.url.startswith("https://")


def test_a_licence_is_shown_even_where_nothing_can_be_noted(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "file"))
    show_licence(SOURCES["textiles"])
    assert "MIT" in capsys.readouterr().out


def test_the_checksum_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert file_sha256(tmp_path / "file") == SHA256
