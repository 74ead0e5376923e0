"""Package metadata, read from settings.ini; the version is read from the exported package."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

# "=" alone separates name and value: requirements may hold ":" in environment markers.
config = ConfigParser(delimiters=["="])
config.read(ROOT / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]


def requirements(name: str) -> list[str]:
    return settings[name].split("\n")[1:]


def version() -> str:
    found = re.search(r'^__version__ = "(.+)"$', (ROOT / "coursekit" / "__init__.py").read_text("utf-8"), re.M)
    if found is None:
        raise RuntimeError("no __version__ in coursekit/__init__.py: run `make export`")
    return found[1]


setup(
    name=settings["lib_name"],
    version=version(),
    description=settings["description"],
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    license=settings["license"],
    license_files=["LICENSE"],
    keywords=settings["keywords"],
    python_requires=f">={settings['min_python']}",
    packages=find_packages(include=["coursekit", "coursekit.*"]),
    package_data={"coursekit": ["py.typed", "course/recorded/*.json"]},
    install_requires=requirements("requirements"),
    extras_require={
        "course": requirements("course_requirements"),
        "app": requirements("app_requirements"),
        "onnx": requirements("onnx_requirements"),
        "distributed": requirements("distributed_requirements"),
        "metrics": requirements("metrics_requirements"),
        "site": requirements("site_requirements"),
        "dev": [
            line
            for extra in ("dev", "app", "onnx", "distributed", "metrics", "site")
            for line in requirements(f"{extra}_requirements")
        ],
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
)
