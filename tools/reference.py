"""Writes the library's reference from its source, without importing it: a page a package.

Pages are MyST Markdown, in the order of tools/house.py. What a module offers is its `__all__`; texts are docstrings.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tools.glossary import slug
from tools.house import HOUSE, Floor, module_names
from tools.notebooks import ROOT

PACKAGE = ROOT / "coursekit"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """A module of the library as its source says it: dotted name below `coursekit`, tree, notebook that makes it."""

    dotted: str
    tree: ast.Module
    notebook: str

    @property
    def public(self) -> tuple[str, ...]:
        """Returns the names in `__all__`, in the order of the source."""
        values = [node.value for node in self.tree.body if isinstance(node, ast.Assign) and "__all__" in _targets(node)]
        return tuple(ast.literal_eval(values[0])) if values else ()


def modules() -> dict[str, Module]:
    """Returns all modules by dotted name, from the top of the house to the ground."""
    return {dotted: _module(dotted) for dotted in module_names()}


def _module(dotted: str) -> Module:
    text = (PACKAGE / f"{dotted.replace('.', '/')}.py").read_text("utf-8")
    notebook = re.search(r"File to edit: (?:\.\./)+nbs/(\S+\.ipynb)\.", text)
    if notebook is None:
        raise ValueError(f"coursekit.{dotted} does not say which notebook makes it: run `make export`")
    return Module(dotted, ast.parse(text), notebook[1])


def address_of(dotted: str) -> str:
    """Returns the address of a module below the site's root: its package's page, and its heading there."""
    package, _, name = dotted.rpartition(".") if "." in dotted else ("", "", dotted)
    floor = next(f for f in HOUSE if f.package == package.split(".")[0] and (package or name in f.modules))
    return f"reference/{floor_name(floor)}.md#{slug(dotted)}"


def floor_name(floor: Floor) -> str:
    """Returns what the page of a floor is called: the package, or the name of loose modules."""
    return floor.name or floor.package


def reference() -> dict[str, str]:
    """Returns the text of all pages by path below the site's root."""
    found = modules()
    names = public_names(found)
    pages = {"reference/index.md": _index()}
    for floor in HOUSE:
        dotted = [f"{floor.package}.{name}".lstrip(".") for name in floor.modules]
        pages[f"reference/{floor_name(floor)}.md"] = _floor_page(floor, [found[name] for name in dotted], names)
    return pages


def public_names(found: Mapping[str, Module]) -> dict[str, str]:
    """Returns the full name of each public name that only one module offers."""
    full: dict[str, list[str]] = {}
    for module in found.values():
        for name in module.public:
            full.setdefault(name, []).append(f"coursekit.{module.dotted}.{name}")
    return {name: homes[0] for name, homes in full.items() if len(homes) == 1}


def linked(text: str, names: Mapping[str, str], but: tuple[str, ...] = ()) -> str:
    """Returns a Markdown text in which each public name in backticks, with or without `()`, links to its reference."""

    def link(found: re.Match) -> str:
        name = found[1]
        return found[0] if name not in names or name in but else f"{{py:obj}}`{name}{found[2]} <{names[name]}>`"

    return re.sub(r"(?<![`}\w])`([A-Za-z]\w*)((?:\(\))?)`(?!`)", link, text)


def _index() -> str:
    lines = [
        "# Reference",
        "",
        "What each part of the library does, from its docstrings. Packages are floors of a house, the highest first: a "
        "module imports only from modules that stand below it.",
        "",
        "| package | its question | modules |",
        "|---|---|---|",
    ]
    for floor in HOUSE:
        name = floor_name(floor)
        lines.append(f"| [{name}](/reference/{name}.md) | {floor.question} | {len(floor.modules)} |")
    toctree = ["```{toctree}", ":hidden:", "", *map(floor_name, HOUSE), "```", ""]
    return "\n".join([*lines, "", *toctree])


def _floor_page(floor: Floor, found: list[Module], names: Mapping[str, str]) -> str:
    title = f"`coursekit.{floor.package}`" if floor.package else f"The {floor.name}: modules in no package"
    lines = [f"# {title}", "", floor.question, "", "| module | what is in it |", "|---|---|"]
    for module in found:
        lines.append(f"| [`{module.dotted}`](#{slug(module.dotted)}) | {_first_sentence(module.tree)} |")
    return "\n\n".join(["\n".join(lines), *(module_section(module, names) for module in found)])


def _first_sentence(tree: ast.Module) -> str:
    first = (ast.get_docstring(tree) or "").split("\n\n")[0]
    return re.split(r"(?<=[.?!])\s", " ".join(first.split()))[0].replace("|", "\\|")


def module_section(module: Module, names: Mapping[str, str]) -> str:
    """Returns the section of one module: its docstring, where it is made, and each public name."""
    made = f"nbs/{module.notebook}"
    if re.match(r"\d\d", module.notebook):
        made = f"[lesson {int(module.notebook[:2])}](/{module.notebook})"
    elif module.notebook.startswith("lib/"):
        made = f"the notebook `{made}`"
    parts = [
        f"## `{module.dotted}`",
        f"```{{py:module}} coursekit.{module.dotted}\n```",
        linked(ast.get_docstring(module.tree) or "", names),
        f"Made in {made}.",
    ]
    defined = dict(_definitions(module.tree))
    for name in sorted(module.public, key=lambda name: getattr(defined.get(name), "lineno", 0)):
        if name in defined:
            parts.append(_described(name, defined[name], names))
    return "\n\n".join(parts) + "\n"


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in tree.body:
        if isinstance(node, (*Function.__args__, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            yield from ((name, node) for name in _targets(node))


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [
        name.id
        for target in targets
        for name in (target.elts if isinstance(target, ast.Tuple) else [target])
        if isinstance(name, ast.Name)
    ]


def _described(name: str, node: ast.stmt, names: Mapping[str, str]) -> str:
    if isinstance(node, ast.ClassDef):
        return _class(node, names)
    if isinstance(node, Function):
        return _directive("function", name + _signature(node), _docstring(node, names))
    value = ast.unparse(node.value) if getattr(node, "value", None) else ""
    options = [f":value: {value}"] if value and len(value) <= 60 else []
    return _directive("data", name, "", options)


def _class(node: ast.ClassDef, names: Mapping[str, str]) -> str:
    methods = {child.name: child for child in node.body if isinstance(child, Function)}
    parts = [_docstring(node, names)]
    for name, method in methods.items():
        if not name.startswith("_") and ast.get_docstring(method):
            parts.append(_method(name, method, names))
    return _directive("class", node.name + _class_signature(node, methods), "\n\n".join(parts), fence="````")


def _class_signature(node: ast.ClassDef, methods: Mapping[str, Function]) -> str:
    if "__init__" in methods:
        return _signature(methods["__init__"], leave_out=1, result=False)
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list) or _is_named_tuple(node):
        fields = [child for child in node.body if isinstance(child, ast.AnnAssign) and not _is_private(child)]
        return "(" + ", ".join(ast.unparse(field) for field in fields) + ")"
    return ""


def _is_named_tuple(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base) == "NamedTuple" for base in node.bases)


def _is_private(field: ast.AnnAssign) -> bool:
    return ast.unparse(field.target).startswith("_") or "ClassVar" in ast.unparse(field.annotation)


def _method(name: str, method: Function, names: Mapping[str, str]) -> str:
    decorators = [ast.unparse(decorator) for decorator in method.decorator_list]
    text = _docstring(method, names)
    if any("property" in decorator for decorator in decorators):
        options = [f":type: {ast.unparse(method.returns)}"] if method.returns else []
        return _directive("property", name, text, options)
    kind = next((kind for kind in ("classmethod", "staticmethod") if kind in decorators), None)
    signature = _signature(method, leave_out=0 if kind == "staticmethod" else 1)
    return _directive("method", name + signature, text, [f":{kind}:"] if kind else [])


def _signature(node: Function, leave_out: int = 0, result: bool = True) -> str:
    arguments = ast.parse(ast.unparse(ast.Module([node], []))).body[0].args  # a copy, to be changed
    for _ in range(leave_out):
        (arguments.posonlyargs or arguments.args).pop(0)
    returns = f" -> {ast.unparse(node.returns)}" if result and node.returns else ""
    return f"({ast.unparse(arguments)}){returns}"


def _docstring(node: Function | ast.ClassDef, names: Mapping[str, str]) -> str:
    own = tuple(a.arg for a in ast.walk(node) if isinstance(a, ast.arg)) if isinstance(node, Function) else ()
    return linked(ast.get_docstring(node) or "", names, but=(node.name, *own))


def _directive(kind: str, head: str, text: str, options: list[str] | None = None, fence: str = "```") -> str:
    return "\n".join([f"{fence}{{py:{kind}}} {head}", *(options or []), "", text, fence])
