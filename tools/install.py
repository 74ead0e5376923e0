"""`pip install` that says in one line what it is doing; all that pip says goes to install.log in the environment.

`python -m tools.install ARGUMENTS-OF-PIP`, by the Python of the environment. Needs nothing but the standard library.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

LOG = Path(sys.prefix) / "install.log"
LARGE = re.compile(r"Downloading \S+ \((\d{3,}(\.\d+)? MB|.* GB)\)")


def main(arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", *arguments]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    errors = []
    with LOG.open("w", encoding="utf-8") as log:
        for line in pip.stdout or ():
            log.write(line)
            report(line.strip())
            errors += [line.strip()] if line.startswith("ERROR") else []
    report("")
    if pip.wait() != 0:
        print(*errors, f"The installation stopped. All that pip said is in {LOG}", sep="\n", file=sys.stderr)
    return pip.returncode


def report(line: str) -> None:
    """In a terminal, one line that is written over; elsewhere only what takes long."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print("\r" + line[:width].ljust(width) + ("" if line else "\r"), end="", flush=True)
    elif LARGE.match(line) or line.startswith("Installing collected"):
        print(line[:100], flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
