"""Open JupyterLab on the learner's own copies of the lessons.

`python -m tools.lab [--course FOLDER] [flags for JupyterLab]`; `make lab LAB_ARGS="--no-browser"` passes its flags on.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tools.learner_copies import copy_lessons

ROOT = Path(__file__).resolve().parent.parent
FIRST_PAGE = "/lab/tree/00_start_here.ipynb"


def main() -> int:
    parser = argparse.ArgumentParser(description="Open the course in JupyterLab.", add_help=False)
    parser.add_argument("--course", type=Path, default=ROOT / "course")
    options, lab_flags = parser.parse_known_args()
    for note in copy_lessons(ROOT / "nbs", options.course):
        print(note)
    print(f"Your copies of the lessons are in {options.course}. Ctrl-C here ends JupyterLab.", flush=True)
    return run_lab(options.course, lab_flags)


def run_lab(course: Path, flags: list[str]) -> int:
    """Run JupyterLab in the folder `course` until it ends; its exit status. Flags given last win over ours."""
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url={FIRST_PAGE}", *as_root(), *quiet(), *flags]
    try:
        return subprocess.call(command, cwd=course, env=os.environ | {"JUPYTER_CONFIG_PATH": config_path()})
    except KeyboardInterrupt:
        return 0


def as_root() -> list[str]:
    "JupyterLab refuses to run as root unless told (in a container there is often no other user)."
    return ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def quiet() -> list[str]:
    "The course needs no network: no news, no look for updates, no extensions from elsewhere."
    return [
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]


def config_path() -> str:
    "tools/jupyter in front of the configuration folders that the user may have set."
    return os.pathsep.join(filter(None, [str(ROOT / "tools" / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")]))


if __name__ == "__main__":
    sys.exit(main())
