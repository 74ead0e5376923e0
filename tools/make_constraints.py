"""Make constraints.txt: the versions that pip would install today, for the newest and for the oldest Python.

`python -m tools.make_constraints python3.13 python3.10` asks pip of both; where they differ, the line gets a marker.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.notebooks import ROOT

FILE = ROOT / "constraints.txt"
# What torch pins by itself for the graphics card stays with torch: other machines get other ones.
LEFT_TO_TORCH = re.compile(r"nvidia-|cuda-|triton$")
EXTRAS = ".[course,dev]"


def main(newest: str, oldest: str) -> None:
    new, old = (installed_by(python) for python in (newest, oldest))
    comments = [line for line in FILE.read_text("utf-8").splitlines() if line.startswith("#")]
    FILE.write_text("\n".join(comments + lines(new, old)) + "\n", "utf-8")


def installed_by(python: str) -> dict[str, tuple[str, int]]:
    """What pip of the interpreter `python` would install: name, version, and the `n` of the Python 3.n it asks for."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [str(Path(folder) / "bin" / "python"), "-m", "pip"]
        subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip"], check=True)
        report = Path(folder) / "report.json"
        ask = ["install", "--quiet", "--dry-run", "--report", str(report), "--editable", EXTRAS]
        subprocess.run([*pip, *ask], cwd=ROOT, check=True)
        found = [item["metadata"] for item in json.loads(report.read_text("utf-8"))["install"]]
    return {name_of(item): (item["version"], minor_python(item.get("requires_python", ""))) for item in found}


def name_of(item: dict) -> str:
    return re.sub(r"[-_.]+", "-", item["name"]).lower()


def minor_python(requires: str) -> int:
    asked = re.search(r">=\s*3\.(\d+)", requires)
    return int(asked[1]) if asked else 0


def lines(new: dict[str, tuple[str, int]], old: dict[str, tuple[str, int]]) -> list[str]:
    """A line for each package, two with markers where the two Pythons get different versions.

    The markers part all packages at one Python: the first that every one of the newest versions runs on.
    """
    names = [name for name in sorted((new | old).keys() - {"coursekit", "wheel"}) if not LEFT_TO_TORCH.match(name)]
    differing = {name for name in names if name in new and name in old and new[name] != old[name]}
    first = max((new[name][1] for name in differing), default=0)
    result = []
    for name in names:
        if name in differing:
            result.append(f'{name}=={new[name][0]}; python_version >= "3.{first}"')
            result.append(f'{name}=={old[name][0]}; python_version < "3.{first}"')
        else:
            result.append(f"{name}=={(new.get(name) or old[name])[0]}")
    return result


if __name__ == "__main__":
    main(*sys.argv[1:])
