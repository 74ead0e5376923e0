"""Wrong attempts at `remember`, written by someone who has not seen the catalogue."""

import copy
import random
from collections.abc import Callable

import torch
from torch import nn
from torch.optim import Optimizer


def _weights(model: nn.Module) -> Callable[[], None]:
    """Remembers weights and buffers (also those that aren't in the state dict) by their names."""
    saved = {name: t.detach().clone() for name, t in [*model.named_parameters(), *model.named_buffers()]}

    def restore() -> None:
        now = dict([*model.named_parameters(), *model.named_buffers()])
        with torch.no_grad():
            for name, tensor in saved.items():
                now[name].copy_(tensor)

    return restore


def _modes(model: nn.Module) -> Callable[[], None]:
    saved = [(module, module.training) for module in model.modules()]

    def restore() -> None:
        for module, training in saved:
            module.training = training

    return restore


def _optimiser(opt: Optimizer) -> Callable[[], None]:
    saved = copy.deepcopy(opt.state_dict())
    return lambda: opt.load_state_dict(copy.deepcopy(saved))


def _generator() -> Callable[[], None]:
    saved = torch.get_rng_state()
    return lambda: torch.set_rng_state(saved)


def _all(*parts: Callable[[], None]) -> Callable[[], None]:
    def restore() -> None:
        for part in parts:
            part()

    return restore


def detached_but_not_copied(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Detaches the weights: they still share their memory with the model's."""
    saved = [parameter.detach() for parameter in model.parameters()]

    def put_back() -> None:
        with torch.no_grad():
            for parameter, old in zip(model.parameters(), saved, strict=True):
                parameter.copy_(old)

    return _all(put_back, _modes(model), _optimiser(opt), _generator())


def float_tensors_only(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Leaves out buffers of whole numbers: batch norm's num_batches_tracked stays changed."""
    saved = {k: t.clone() for k, t in model.state_dict().items() if t.is_floating_point()}
    return _all(lambda: model.load_state_dict(saved, strict=False), _modes(model), _optimiser(opt), _generator())


def forgets_the_modes(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Leaves all modules in the mode that training set."""
    return _all(_weights(model), _optimiser(opt), _generator())


def mode_of_the_whole_model(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Calls model.train(...) with the outermost flag: modules in another mode than the model lose theirs."""
    was_training = model.training
    return _all(_weights(model), lambda: model.train(was_training), _optimiser(opt), _generator())


def sets_eval_mode_at_once(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Copies everything, but switches the model to evaluation mode while it remembers: it should change nothing."""
    parts = _weights(model), _modes(model), _optimiser(opt), _generator()
    model.eval()
    return _all(*parts)


def forgets_the_optimiser(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Leaves momentum and learning rates as training left them."""
    return _all(_weights(model), _modes(model), _generator())


def learning_rates_only(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Puts the learning rates back, but not the optimiser's state."""
    rates = [group["lr"] for group in opt.param_groups]

    def put_back() -> None:
        for group, rate in zip(opt.param_groups, rates, strict=True):
            group["lr"] = rate

    return _all(_weights(model), _modes(model), put_back, _generator())


def first_learning_rate_for_all(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Puts the first group's rate back into all groups."""
    rate = opt.param_groups[0]["lr"]
    state = _optimiser(opt)

    def put_back() -> None:
        for group in opt.param_groups:
            group["lr"] = rate

    return _all(_weights(model), _modes(model), state, put_back, _generator())


def optimiser_state_without_copies(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Keeps opt.state_dict() uncopied: right for a fresh optimiser, but existing momentum is changed in place."""
    saved = opt.state_dict()
    return _all(_weights(model), _modes(model), lambda: opt.load_state_dict(saved), _generator())


def empty_state_is_not_put_back(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Puts the state back only if there was one: a fresh optimiser keeps the momentum of the sweep."""
    saved = copy.deepcopy(opt.state_dict())
    rates = [group["lr"] for group in opt.param_groups]

    def put_back() -> None:
        if saved["state"]:
            opt.load_state_dict(copy.deepcopy(saved))
        for group, rate in zip(opt.param_groups, rates, strict=True):
            group["lr"] = rate

    return _all(_weights(model), _modes(model), put_back, _generator())


def clears_the_optimiser(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Empties the state: right for a fresh optimiser, one in use loses its momentum."""
    rates = [group["lr"] for group in opt.param_groups]

    def put_back() -> None:
        opt.state.clear()
        for group, rate in zip(opt.param_groups, rates, strict=True):
            group["lr"] = rate

    return _all(_weights(model), _modes(model), put_back, _generator())


def deep_copy_of_opt_state(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Copies opt.state with its keys, the parameters: what is put back belongs to copies, not to the model."""
    saved = copy.deepcopy(opt.state)
    rates = [group["lr"] for group in opt.param_groups]

    def put_back() -> None:
        opt.state = copy.deepcopy(saved)
        for group, rate in zip(opt.param_groups, rates, strict=True):
            group["lr"] = rate

    return _all(_weights(model), _modes(model), put_back, _generator())


def forgets_the_generator(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Leaves torch's generator where dropout and shuffling took it."""
    return _all(_weights(model), _modes(model), _optimiser(opt))


def draws_a_new_seed(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Makes a new seed to be able to go back to it: torch.seed() itself changes the generator."""
    seed = torch.seed()
    return _all(_weights(model), _modes(model), _optimiser(opt), lambda: torch.manual_seed(seed))


def generator_read_too_late(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Reads the generator's state when it puts back, not when it remembers."""
    return _all(_weights(model), _modes(model), _optimiser(opt), lambda: torch.set_rng_state(torch.get_rng_state()))


def restores_at_once(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Calls the function instead of returning it: returns None."""
    return _all(_weights(model), _modes(model), _optimiser(opt), _generator())()
