"""Wrong attempts at `load_model`, written by someone who has not seen the catalogue."""

import contextlib
import copy
import json
from pathlib import Path

import torch
from safetensors import torch as safetensors_torch
from torch import Tensor, nn

_KEYS = {"architecture", "vocab", "preprocessing"}


def _description(folder: Path) -> dict:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))


def _tensors(folder: Path) -> dict[str, Tensor]:
    return safetensors_torch.load_file(folder / "model.safetensors")


def _like(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


def _wrong_keys(description: dict) -> list[str]:
    """Returns the keys that are missing or too many (right)."""
    return sorted(set(description) ^ _KEYS)


def _wrong_names(tensors: dict[str, Tensor], state: dict[str, Tensor]) -> list[str]:
    """Returns the names that are missing, too many, or have another shape or type (right)."""
    names = sorted(set(tensors) | set(state))
    return [k for k in names if k not in tensors or k not in state or not _like(tensors[k], state[k])]


def rolls_back_without_copies(folder: Path, model: nn.Module) -> dict:
    """Keeps model.state_dict() to go back to it: those tensors have been overwritten too."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = _wrong_keys(description) + _wrong_names(tensors, model.state_dict())
    before = model.state_dict()
    with contextlib.suppress(RuntimeError):
        model.load_state_dict(tensors, strict=False)
    if wrong:
        model.load_state_dict(before)
        raise ValueError(", ".join(wrong))
    return description


def kinds_of_types_only(folder: Path, model: nn.Module) -> dict:
    """Compares whether both are floats: float16 counts as float32, int32 as int64."""
    description, tensors, state = _description(folder), _tensors(folder), model.state_dict()
    wrong = _wrong_keys(description) + sorted(set(tensors) ^ set(state))
    for k in tensors:
        if k in state:
            same_kind = tensors[k].is_floating_point() == state[k].is_floating_point()
            if tensors[k].shape != state[k].shape or not same_kind:
                wrong.append(k)
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict(tensors)
    return description


def shapes_do_not_count(folder: Path, model: nn.Module) -> dict:
    """Compares names and types, and reshapes what has as many numbers: (2, 3) goes into (3, 2)."""
    description, tensors, state = _description(folder), _tensors(folder), model.state_dict()
    wrong = _wrong_keys(description) + sorted(set(tensors) ^ set(state))
    for k in tensors:
        if k in state and (tensors[k].numel() != state[k].numel() or tensors[k].dtype != state[k].dtype):
            wrong.append(k)
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict({k: t.reshape(state[k].shape) for k, t in tensors.items()})
    return description


def missing_tensors_only(folder: Path, model: nn.Module) -> dict:
    """Looks for the model's tensors in the file: additional ones in the file are fine."""
    description, tensors, state = _description(folder), _tensors(folder), model.state_dict()
    wrong = _wrong_keys(description)
    wrong += [k for k in state if k not in tensors or not _like(tensors[k], state[k])]
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict({k: tensors[k] for k in state})
    return description


def additional_tensors_only(folder: Path, model: nn.Module) -> dict:
    """Looks for the file's tensors in the model: missing ones keep what the model had."""
    description, tensors, state = _description(folder), _tensors(folder), model.state_dict()
    wrong = _wrong_keys(description)
    wrong += [k for k in tensors if k not in state or not _like(tensors[k], state[k])]
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict(tensors, strict=False)
    return description


def missing_keys_only(folder: Path, model: nn.Module) -> dict:
    """Looks for the three keys: additional ones are fine."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = sorted(_KEYS - set(description)) + _wrong_names(tensors, model.state_dict())
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict(tensors)
    return description


def additional_keys_only(folder: Path, model: nn.Module) -> dict:
    """Looks for keys that aren't among the three: missing ones are fine."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = sorted(set(description) - _KEYS) + _wrong_names(tensors, model.state_dict())
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict(tensors)
    return description


def assertions(folder: Path, model: nn.Module) -> dict:
    """Uses assert: AssertionError, not ValueError."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = _wrong_keys(description) + _wrong_names(tensors, model.state_dict())
    assert not wrong, ", ".join(wrong)
    model.load_state_dict(tensors)
    return description


def keys_before_tensors(folder: Path, model: nn.Module) -> dict:
    """Raises for the keys before it looks at the tensors: the message doesn't name all."""
    description, tensors = _description(folder), _tensors(folder)
    if _wrong_keys(description):
        raise ValueError(", ".join(_wrong_keys(description)))
    wrong = _wrong_names(tensors, model.state_dict())
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict(tensors)
    return description


def first_wrong_one_only(folder: Path, model: nn.Module) -> dict:
    """Names the first wrong key or tensor and no other."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = _wrong_keys(description) + _wrong_names(tensors, model.state_dict())
    if wrong:
        raise ValueError(f"wrong: {wrong[0]}")
    model.load_state_dict(tensors)
    return description


def says_how_many(folder: Path, model: nn.Module) -> dict:
    """Says how many are wrong, but not which."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = _wrong_keys(description) + _wrong_names(tensors, model.state_dict())
    if wrong:
        raise ValueError(f"{len(wrong)} keys or tensors are wrong")
    model.load_state_dict(tensors)
    return description


def all_keys_if_one_is_wrong(folder: Path, model: nn.Module) -> dict:
    """Names the three keys that should be there as soon as one is wrong: right ones too."""
    description, tensors = _description(folder), _tensors(folder)
    keys = _wrong_keys(description)
    wrong = _wrong_names(tensors, model.state_dict())
    if keys or wrong:
        hint = f" (the keys must be {', '.join(sorted(_KEYS))})" if keys else ""
        raise ValueError(", ".join(keys + wrong) + hint)
    model.load_state_dict(tensors)
    return description


def copies_while_it_checks(folder: Path, model: nn.Module) -> dict:
    """Copies each good tensor at once and raises at the end: after an error the model is half new."""
    description, tensors, state = _description(folder), _tensors(folder), model.state_dict()
    wrong = _wrong_keys(description)
    for k in sorted(set(tensors) | set(state)):
        if k in tensors and k in state and _like(tensors[k], state[k]):
            state[k].copy_(tensors[k])
        else:
            wrong.append(k)
    if wrong:
        raise ValueError(", ".join(wrong))
    return description


def load_model_of_the_library(folder: Path, model: nn.Module) -> dict:
    """Calls safetensors' own load_model: RuntimeError for other names, and other types don't count."""
    description = _description(folder)
    if _wrong_keys(description):
        raise ValueError(", ".join(_wrong_keys(description)))
    safetensors_torch.load_model(model, folder / "model.safetensors")
    return description


def loads_into_a_copy(folder: Path, model: nn.Module) -> dict:
    """Loads into a copy of the model: the model itself stays as it was."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = _wrong_keys(description) + _wrong_names(tensors, model.state_dict())
    if wrong:
        raise ValueError(", ".join(wrong))
    model = copy.deepcopy(model)
    model.load_state_dict(tensors)
    return description


def returns_the_model(folder: Path, model: nn.Module) -> dict:
    """Returns the model instead of the dictionary."""
    description, tensors = _description(folder), _tensors(folder)
    wrong = _wrong_keys(description) + _wrong_names(tensors, model.state_dict())
    if wrong:
        raise ValueError(", ".join(wrong))
    model.load_state_dict(tensors)
    return model
