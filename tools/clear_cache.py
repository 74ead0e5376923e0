"""Remove the resized images that coursekit keeps, and say how much room that made. Downloads and weights stay."""

import shutil

from coursekit.core import home


def main() -> None:
    folder = home() / "presize"
    files = [path for path in folder.rglob("*") if path.is_file()]
    if files:
        megabytes = sum(path.stat().st_size for path in files) / 2**20
        shutil.rmtree(folder)
        print(f"Removed {megabytes:,.0f} MB of resized images from {folder}")


if __name__ == "__main__":
    main()
