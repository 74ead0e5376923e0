"""The presize cache: the same pixels as decoding, whole or absent, however many processes and whatever happens."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coursekit.core import DataError, ls, temporary_path
from coursekit.data.cache import MAX_CACHE_BYTES, PlainImages, PresizeCache, cache_limit
from coursekit.images import open_image, presize


def photo(width: int = 40, height: int = 30, seed: int = 0) -> Image.Image:
    """A smooth picture with four corners that differ, so that each turn of it can be told."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = np.random.default_rng(seed).uniform(0, 20, (3, 1, 1)) * np.sin(9 * x * y)
    return Image.fromarray(
        (np.stack([220 * x, 220 * y, 110 * (x + y)]) + waves).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    )


def decode(path: Path, size_rule) -> np.ndarray:
    return np.asarray(open_image(path, size_rule))


SHRINK = partial(presize, short=24)


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    paths = []
    for i in range(12):
        path = tmp_path / "photos" / f"{i:02d}.{'jpg' if i % 2 else 'png'}"
        path.parent.mkdir(exist_ok=True)
        photo(40 + 3 * i, 60 - 2 * i, seed=i).save(path)
        paths.append(path)
    return paths


def open_cache(paths, tmp_path, size_rule=SHRINK, key="short side 24", **kwargs):
    return PresizeCache.open(paths, size_rule, key, folder=tmp_path / "cache", **kwargs)


def cache_files(tmp_path) -> list[Path]:
    return ls(tmp_path / "cache") if (tmp_path / "cache").exists() else []


@pytest.mark.parametrize("workers", [1, 4])
def test_the_cache_gives_the_pixels_of_decoding(photos, tmp_path, workers):
    cache, plain = open_cache(photos, tmp_path, workers=workers), PlainImages(photos, SHRINK)
    assert isinstance(cache, PresizeCache) and len(cache) == len(plain) == 12
    for i, path in enumerate(photos):
        assert cache[i].dtype == np.uint8 and cache[i].shape[2] == 3 and min(cache[i].shape[:2]) == 24
        assert np.array_equal(cache[i], plain[i])
        assert np.array_equal(cache[i], decode(path, SHRINK))
    assert np.array_equal(cache[-1], plain[11])
    with pytest.raises(IndexError):
        cache[12]
    with pytest.raises(ValueError, match="read-only"):
        cache[0][0, 0, 0] = 1


def test_a_second_opening_reads_the_file_and_decodes_nothing(photos, tmp_path, capsys):
    first = [pixels.copy() for pixels in open_cache(photos, tmp_path)]
    said = capsys.readouterr().out
    assert "12 images" in said and "MB in" in said and str(tmp_path / "cache") in said

    def forbidden(img):
        raise AssertionError("decoded again")

    again = open_cache(photos, tmp_path, size_rule=forbidden)
    assert capsys.readouterr().out == "", "says once where it is"
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_order_of_the_paths_and_repeated_ones_need_no_other_cache(photos, tmp_path):
    open_cache(photos, tmp_path)
    mixed = [photos[5], photos[0], photos[5], *photos]
    cache = open_cache(mixed, tmp_path)
    assert len(cache_files(tmp_path)) == 1 and len(cache) == 15
    assert all(np.array_equal(cache[i], decode(path, SHRINK)) for i, path in enumerate(mixed))


def test_a_changed_file_and_another_key_make_another_cache(photos, tmp_path):
    names = {open_cache(photos, tmp_path).path}
    names.add(open_cache(photos, tmp_path, partial(presize, short=20), "short side 20").path)
    photo(seed=99).save(photos[0])
    changed = open_cache(photos, tmp_path)
    names.add(changed.path)
    assert len(names) == 3 and np.array_equal(changed[0], decode(photos[0], SHRINK))
    facts = photos[1].stat()
    os.utime(photos[1], ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    assert open_cache(photos, tmp_path).path not in names, "a nanosecond makes a difference"


class Counting:
    """Presizes like SHRINK, and counts what is decoded."""

    def __init__(self):
        self.n = 0

    def __call__(self, size):
        self.n += 1
        return SHRINK(size)


def test_one_more_photo_is_the_only_one_to_be_decoded_and_the_disk_holds_all_once(photos, tmp_path, capsys):
    before = open_cache(photos[1:], tmp_path).path
    capsys.readouterr()
    counting = Counting()
    cache = open_cache(photos, tmp_path, counting, workers=1)
    assert counting.n == 2, "once for the estimate from its header, once to decode it"
    assert "1 image (11 were there already)" in capsys.readouterr().out
    assert cache_files(tmp_path) == [cache.path] != [before]
    assert all(np.array_equal(cache[i], decode(path, SHRINK)) for i, path in enumerate(photos))
    again = tmp_path / "again"
    assert PresizeCache.open(photos, SHRINK, "short side 24", folder=again).path.read_bytes() == cache.path.read_bytes()


def test_a_changed_photo_is_the_only_one_to_be_decoded(photos, tmp_path):
    open_cache(photos, tmp_path)
    photo(60, 50, seed=99).save(photos[3])
    counting = Counting()
    cache = open_cache(photos, tmp_path, counting)
    assert counting.n == 2 and all(np.array_equal(cache[i], decode(path, SHRINK)) for i, path in enumerate(photos))


def test_a_part_of_a_set_reads_its_cache(photos, tmp_path):
    whole = open_cache(photos, tmp_path)
    (tmp_path / "cache" / "broken.u8").write_bytes(b"CKPRE")
    counting = Counting()
    fold = [photos[7], photos[2], photos[7]]
    cache = open_cache(fold, tmp_path, counting)
    assert cache.path == whole.path and counting.n == 0 and len(cache) == 3
    assert all(np.array_equal(cache[i], decode(path, SHRINK)) for i, path in enumerate(fold))
    windows = cache.cut(np.array([0, 1]), np.array([1, 2]), np.array([3, 4]), (20, 18))
    assert np.array_equal(windows[1], decode(photos[2], SHRINK)[2:22, 4:22])
    copy = pickle.loads(pickle.dumps(cache))
    assert np.array_equal(copy[0], cache[0])


def test_what_several_caches_hold_is_put_together(photos, tmp_path):
    open_cache(photos[:5], tmp_path), open_cache(photos[3:9], tmp_path)
    counting = Counting()
    cache = open_cache(photos[:9], tmp_path, counting)
    assert counting.n == 0 and cache_files(tmp_path) == [cache.path]
    assert all(np.array_equal(cache[i], decode(path, SHRINK)) for i, path in enumerate(photos[:9]))


def test_a_cache_that_is_open_stays_until_it_is_closed(photos, tmp_path):
    part = open_cache(photos[:5], tmp_path)
    open_cache(photos[:6], tmp_path)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(sums, [part]) == [sums(part)], "a worker that starts later opens it by its name"
    held = part.path
    del part
    last = open_cache(photos[:7], tmp_path)
    assert not held.exists() and cache_files(tmp_path) == [last.path]


def test_what_a_killed_build_left_goes_at_the_next_opening_of_any_cache(photos, tmp_path):
    cache = open_cache(photos, tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = temporary_path(cache.path)
    left = left.with_name(left.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    left.write_bytes(b"half")
    assert open_cache(photos[:4], tmp_path).path == cache.path and not left.exists()


def test_all_bad_images_are_reported_together_and_no_cache_is_left(photos, tmp_path):
    photos[2].write_bytes(b"")
    photos[4].write_bytes(b"<html>not found</html>")
    photos[7].write_bytes(photos[7].read_bytes()[:-100])
    with pytest.raises(DataError) as caught:
        open_cache(photos, tmp_path)
    message = str(caught.value)
    assert "3 of 12 images cannot be read" in message and len(caught.value.problems) == 3
    for i, cause in [(2, "empty file"), (4, "HTML"), (7, "cut off")]:
        line = next(line for line in message.splitlines() if photos[i].name in line)
        assert cause in line
    assert cache_files(tmp_path) == []


def test_all_missing_images_are_reported_together(photos, tmp_path):
    photos[3].unlink()
    photos[8].unlink()
    with pytest.raises(DataError, match="2 of 12 images cannot be found") as caught:
        open_cache(photos, tmp_path)
    assert {problem.item for problem in caught.value.problems} == {str(photos[3]), str(photos[8])}


def test_a_cache_that_would_not_fit_is_not_made_and_the_pixels_are_the_same(photos, tmp_path):
    with pytest.warns(UserWarning, match=r"about 0 MB and may take 0 MB[\s\S]*COURSEKIT_HOME") as caught:
        images = open_cache(photos, tmp_path, max_bytes=10_000)
    assert len(caught) == 1 and isinstance(images, PlainImages) and cache_files(tmp_path) == []
    assert np.array_equal(images[3], decode(photos[3], SHRINK))


def test_a_cache_that_turns_out_larger_than_estimated_stops_at_its_limit(tmp_path):
    paths = []
    for i in range(250):  # every second one is looked at for the estimate: the others are large
        paths.append(tmp_path / f"{i:03d}.png")
        photo(*((200, 200) if i % 2 else (10, 10))).save(paths[-1])
    with pytest.warns(UserWarning, match="would exceed"):
        images = open_cache(paths, tmp_path, size_rule=lambda size: size, key="as stored", max_bytes=600_000)
    assert isinstance(images, PlainImages) and cache_files(tmp_path) == []


def test_the_caches_used_longest_ago_give_way(photos, tmp_path):
    caches = [open_cache(photos, tmp_path, key=f"version {i}") for i in range(3)]
    for age, cache in zip([300, 100, 200], caches, strict=True):
        os.utime(cache.path, (time.time() - age,) * 2)
    still_open = caches[0]
    room_for_three = 3 * caches[0].path.stat().st_size
    open_cache(photos, tmp_path, key="version 3", max_bytes=room_for_three)
    assert [cache.path.exists() for cache in caches] == [False, True, True]
    assert np.array_equal(still_open[0], decode(photos[0], SHRINK)), "who has it open keeps reading it"
    open_cache(photos, tmp_path, key="version 2", max_bytes=room_for_three)  # used again: now the newest
    open_cache(photos, tmp_path, key="version 4", max_bytes=room_for_three)
    assert [cache.path.exists() for cache in caches] == [False, False, True]


def test_a_folder_that_cannot_be_written_costs_speed_only(photos, tmp_path):
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.warns(UserWarning, match="No presize cache"):
        images = open_cache(photos, tmp_path)
    assert np.array_equal(images[0], decode(photos[0], SHRINK))


@pytest.mark.parametrize("damage", ["cut", "empty", "stub", "other format"])
def test_a_damaged_cache_file_is_made_anew(photos, tmp_path, damage):
    path = open_cache(photos, tmp_path).path
    data = path.read_bytes()
    path.write_bytes({"cut": data[:-8], "empty": b"", "stub": data[:5], "other format": b"X" + data[1:]}[damage])
    cache = open_cache(photos, tmp_path)
    assert isinstance(cache, PresizeCache) and path.read_bytes() == data
    assert np.array_equal(cache[0], decode(photos[0], SHRINK))


BUILD = """
import sys, time
from pathlib import Path
from coursekit.data.cache import PresizeCache
from coursekit.images import presize
def slow(size):
    print("started", flush=True)
    time.sleep({pause})
    return presize(size, 24)
paths = sorted(Path({photos!r}).iterdir())
images = PresizeCache.open(paths, slow, "short side 24", folder={cache!r}, workers=2)
print(type(images).__name__, sum(int(pixels.sum()) for pixels in images))
"""


def start_build(photos, tmp_path, pause: float, before: str = "") -> subprocess.Popen:
    code = before + BUILD.format(pause=pause, photos=str(photos[0].parent), cache=str(tmp_path / "cache"))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_temporary_file(process, tmp_path) -> None:
    for _ in range(15_000):
        if any(path.name.startswith(".tmp-") for path in cache_files(tmp_path)):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("the build never began")


def test_38_a_kill_in_the_middle_leaves_no_half_file_and_is_cleaned_up(photos, tmp_path):
    process = start_build(photos, tmp_path, pause=0.3)
    wait_for_temporary_file(process, tmp_path)
    process.kill()
    process.communicate()
    assert len(cache_files(tmp_path)) == 1 and cache_files(tmp_path)[0].name.startswith(".tmp-")
    cache = open_cache(photos, tmp_path)
    assert cache_files(tmp_path) == [cache.path]
    assert np.array_equal(cache[0], decode(photos[0], SHRINK))


def test_37_an_interrupt_in_the_middle_leaves_nothing(photos, tmp_path):
    # processes in the background of a shell may have been told to ignore Ctrl-C
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    process = start_build(photos, tmp_path, pause=0.3, before=listen)
    wait_for_temporary_file(process, tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert "KeyboardInterrupt" in errors and process.returncode != 0
    assert cache_files(tmp_path) == []


def test_38_a_full_disk_costs_speed_only(photos, tmp_path):
    # writing more than this into a file fails, as on a full disk
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))\n"
    process = start_build(photos, tmp_path, pause=0, before=limit)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0 and "PlainImages" in out and "No presize cache" in errors
    assert cache_files(tmp_path) == []


def test_several_processes_may_build_and_read_at_once(photos, tmp_path):
    processes = [start_build(photos, tmp_path, pause=0.02) for _ in range(2)]
    answers = {process.communicate(timeout=300)[0].splitlines()[-1] for process in processes}
    assert all(process.returncode == 0 for process in processes)
    total = sum(int(decode(path, SHRINK).sum()) for path in photos)
    assert answers == {f"PresizeCache {total}"}
    (path,) = cache_files(tmp_path)
    before = path.read_bytes()
    path.unlink()
    open_cache(photos, tmp_path)
    assert path.read_bytes() == before, "whoever builds it, the bytes are the same"


def sums(images) -> list[int]:
    return [int(pixels.sum()) for pixels in images]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_read_the_same_pixels(photos, tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    cache, plain = open_cache(photos, tmp_path), PlainImages(photos, SHRINK)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(sums, [cache, plain]) == [sums(cache)] * 2


def test_a_cache_is_sent_to_workers_by_name_and_not_by_content(photos, tmp_path):
    cache = open_cache(photos, tmp_path)
    sent = pickle.dumps(cache)
    assert len(sent) < 1000 < cache.path.stat().st_size
    assert sums(pickle.loads(sent)) == sums(cache)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much of a file is in memory")
def test_reading_a_large_cache_does_not_fill_our_memory(photos, tmp_path, monkeypatch):
    def mapped() -> float:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile"))
        return int(line.split()[1]) / 1024

    cache = open_cache(photos, tmp_path, size_rule=lambda size: (1000, 1000), key="3 MB each")
    before = mapped()
    monkeypatch.setattr("coursekit.data.cache._RELEASE_BYTES", 2**40)
    sums(cache)
    assert mapped() - before > 30, "all of it is in memory"
    monkeypatch.setattr("coursekit.data.cache._RELEASE_BYTES", 8_000_000)
    assert sums(cache) == [int(decode(path, lambda size: (1000, 1000)).sum()) for path in photos]
    assert mapped() - before < 15, "no more than what was read since the last release"


# ---- how large caches may be


def test_the_environment_says_how_large_all_caches_may_be(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEKIT_CACHE_GB", "0.000001")  # a kilobyte
    with pytest.warns(UserWarning, match="COURSEKIT_CACHE_GB"):
        assert isinstance(open_cache(photos, tmp_path), PlainImages)
    monkeypatch.setenv("COURSEKIT_CACHE_GB", "400")
    assert cache_limit() == 400 * 2**30
    assert isinstance(open_cache(photos, tmp_path), PresizeCache)
    monkeypatch.delenv("COURSEKIT_CACHE_GB")
    assert cache_limit() == MAX_CACHE_BYTES


@pytest.mark.parametrize("text", ["much", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_above_zero_is_refused(monkeypatch, text):
    monkeypatch.setenv("COURSEKIT_CACHE_GB", text)
    with pytest.raises(DataError, match=f"COURSEKIT_CACHE_GB={text}(.|\n)*gigabytes"):
        cache_limit()
