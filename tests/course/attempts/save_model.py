"""Wrong attempts at `save_model`, written by someone who has not seen the catalogue."""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors import numpy as safetensors_numpy
from safetensors import torch as safetensors_torch
from torch import Tensor, nn


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Returns copies of all tensors of the state dict, each with its own memory in the usual order (right)."""
    return {k: t.detach().clone(memory_format=torch.contiguous_format) for k, t in model.state_dict().items()}


def _fill(folder: Path, tensors: dict[str, Tensor], description: dict) -> None:
    """Writes both files (right)."""
    safetensors_torch.save_file(tensors, folder / "model.safetensors")
    (folder / "model.json").write_text(json.dumps(description), encoding="utf-8")


def _whole_or_not(folder: Path, tensors: dict[str, Tensor], description: dict) -> Path:
    """Fills another folder and renames it (right)."""
    if folder.exists():
        raise FileExistsError(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        _fill(temporary, tensors, description)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def overwrites_what_is_there(model: nn.Module, description: dict, folder: Path) -> Path:
    """Deletes an existing folder instead of raising FileExistsError."""
    if folder.exists():
        shutil.rmtree(folder)
    return _whole_or_not(folder, _tensors(model), description)


def checks_at_the_end(model: nn.Module, description: dict, folder: Path) -> Path:
    """Looks whether `folder` exists after filling the other one, and leaves that one on the disk."""
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        _fill(temporary, _tensors(model), description)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    if folder.exists():
        raise FileExistsError(folder)
    return temporary.rename(folder)


def cleans_up_after_disk_errors(model: nn.Module, description: dict, folder: Path) -> Path:
    """Catches OSError: a description that isn't JSON raises TypeError, and the other folder stays."""
    if folder.exists():
        raise FileExistsError(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        _fill(temporary, _tensors(model), description)
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def copies_instead_of_renaming(model: nn.Module, description: dict, folder: Path) -> Path:
    """Copies the other folder: `folder` is there before it is complete."""
    if folder.exists():
        raise FileExistsError(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        _fill(Path(temporary), _tensors(model), description)
        shutil.copytree(temporary, folder)
    return folder


def contiguous_without_copies(model: nn.Module, description: dict, folder: Path) -> Path:
    """Calls contiguous(), which doesn't copy what is in order: save_file refuses tensors that are shared."""
    return _whole_or_not(folder, {k: t.contiguous() for k, t in model.state_dict().items()}, description)


def clone_keeps_the_order(model: nn.Module, description: dict, folder: Path) -> Path:
    """Calls clone(), which keeps the order of memory: save_file refuses channels last."""
    return _whole_or_not(folder, {k: t.clone() for k, t in model.state_dict().items()}, description)


def parameters_only(model: nn.Module, description: dict, folder: Path) -> Path:
    """Saves named_parameters(): the buffers and second names of shared weights are missing."""
    tensors = {k: p.detach().clone(memory_format=torch.contiguous_format) for k, p in model.named_parameters()}
    return _whole_or_not(folder, tensors, description)


def all_as_float32(model: nn.Module, description: dict, folder: Path) -> Path:
    """Turns all tensors into float32: counts and half or double weights lose their dtype."""
    return _whole_or_not(folder, {k: t.float() for k, t in _tensors(model).items()}, description)


def in_half_precision(model: nn.Module, description: dict, folder: Path) -> Path:
    """Saves floats as float16 to save space."""
    tensors = {k: t.half() if t.is_floating_point() else t for k, t in _tensors(model).items()}
    return _whole_or_not(folder, tensors, description)


def pickles_the_weights(model: nn.Module, description: dict, folder: Path) -> Path:
    """Calls torch.save: a pickle with the name of a safetensors file."""
    if folder.exists():
        raise FileExistsError(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        torch.save(model.state_dict(), temporary / "model.safetensors")
        (temporary / "model.json").write_text(json.dumps(description), encoding="utf-8")
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def _with_text(folder: Path, tensors: dict[str, Tensor], content: bytes) -> Path:
    """Saves with the given bytes as model.json."""
    if folder.exists():
        raise FileExistsError(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        safetensors_torch.save_file(tensors, temporary / "model.safetensors")
        (temporary / "model.json").write_bytes(content)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def byte_order_mark(model: nn.Module, description: dict, folder: Path) -> Path:
    """Writes UTF-8 with a byte order mark: json refuses it when it is read as UTF-8."""
    return _with_text(folder, _tensors(model), json.dumps(description).encode("utf-8-sig"))


def adds_to_the_description(model: nn.Module, description: dict, folder: Path) -> Path:
    """Adds torch's version to the description: in the file, and in the caller's dictionary."""
    description["torch"] = torch.__version__
    return _whole_or_not(folder, _tensors(model), description)


def a_third_file(model: nn.Module, description: dict, folder: Path) -> Path:
    """Writes a README as well: an export consists of two files."""
    if folder.exists():
        raise FileExistsError(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        _fill(temporary, _tensors(model), description)
        (temporary / "README.md").write_text("# A model\n", encoding="utf-8")
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def leaves_eval_mode(model: nn.Module, description: dict, folder: Path) -> Path:
    """Switches the model to evaluation mode and leaves it there: the model is changed."""
    model.eval()
    return _whole_or_not(folder, _tensors(model), description)


def returns_the_temporary_folder(model: nn.Module, description: dict, folder: Path) -> Path:
    """Returns the other folder, which isn't there any more."""
    if folder.exists():
        raise FileExistsError(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        _fill(temporary, _tensors(model), description)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return temporary


def returns_nothing(model: nn.Module, description: dict, folder: Path) -> Path:
    """Saves and returns None."""
    _whole_or_not(folder, _tensors(model), description)
