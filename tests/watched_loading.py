"""Loads export folders that mean us ill, and reports what each did; run by test_export_attacks.py in its own process.

    python watched_loading.py GOOD SPOILT_1 SPOILT_2 ...

After GOOD was loaded once, an audit hook notes all that Python can be seen doing, memory is limited to what is used and
a little more, and each folder has some seconds. Prints one JSON object for each: the folder, the error's class and
message (None for none), and the events that the loading of an export has no reason for.
"""

import encodings.cp437  # noqa: F401 (zipfile imports it when it reads its first archive)
import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import torch
from PIL import Image

from coursekit.export.folder import load_learner

SPARE_BYTES, SECONDS = 400 * 2**20, 20
LIBRARIES = [Path(place).resolve() for place in sys.path if place]
HARMLESS = {"builtins.id", "object.__getattr__", "sys._getframe"}


class Watch:
    """Notes the audit events of the time in which `folder` is set."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.events: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if self.folder is not None and not self._is_expected(event, arguments):
            self.events.append(f"{event} {arguments!r:.200}")

    def _is_expected(self, event: str, arguments: tuple) -> bool:
        """Whether it is a look into the folder, a plain file in it opened for reading, or the version of a library."""
        if event not in ("open", "os.listdir", "os.scandir"):
            return event in HARMLESS
        path = Path(os.fsdecode(arguments[0])) if isinstance(arguments[0], str | bytes | os.PathLike) else None
        if path is None or (event == "open" and arguments[1] not in ("r", "rb", None)):
            return False
        if any(path == place or place in path.parents for place in LIBRARIES):
            return True
        return path == self.folder or (path.parent == self.folder and not path.is_symlink())


def limit_memory() -> None:
    """From now on an allocation far larger than a good export needs fails (on Linux; elsewhere nothing is limited)."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def too_slow(*arguments: object) -> None:
    raise TimeoutError(f"not refused within {SECONDS} seconds")


def load_watched(folder: Path, watch: Watch) -> dict:
    watch.events, error = [], None
    signal.alarm(SECONDS)
    watch.folder = folder
    try:
        load_learner(folder)
    except Exception as caught:
        error = caught
    finally:
        watch.folder = None
        signal.alarm(0)
    return {
        "folder": str(folder),
        "error": error and type(error).__name__,
        "message": error and str(error),
        "events": watch.events,
    }


if __name__ == "__main__":
    good, *spoilt = map(Path, sys.argv[1:])
    torch.set_num_threads(1)
    Image.init()  # Pillow imports its readers when they are first needed
    for _ in range(2):
        load_learner(good)
    signal.signal(signal.SIGALRM, too_slow)
    watch = Watch()
    limit_memory()
    for folder in (good, *spoilt):
        print(json.dumps(load_watched(folder, watch)), flush=True)
