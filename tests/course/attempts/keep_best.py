"""Wrong attempts at `keep_best`: those of a learner who walked through the lesson, and a few more."""

import copy
import math
from typing import Any

from coursekit.training.callbacks import Callback


class _Keep(Callback):
    """Keeps what `keep` makes of the model of the best epoch, and gives it to `put_back`."""

    def before_fit(self, loop: Any) -> None:
        self.best, self.state = math.inf, None

    def loss(self, loop: Any) -> float:
        return loop.results[0]

    def keep(self, model: Any) -> Any:
        return copy.deepcopy(model.state_dict())

    def after_epoch(self, loop: Any) -> None:
        if self.loss(loop) < self.best:
            self.best, self.state = self.loss(loop), self.keep(loop.model)

    def after_fit(self, loop: Any) -> None:
        if self.state is not None:
            loop.model.load_state_dict(self.state)


def replaces_the_model() -> Callback:
    """Puts the copy into the loop: the caller's model keeps its last weights."""

    class Keep(_Keep):
        def keep(self, model: Any) -> Any:
            return copy.deepcopy(model)

        def after_fit(self, loop: Any) -> None:
            if self.state is not None:
                loop.model = self.state

    return Keep()


def keeps_no_copy() -> Callback:
    """Keeps the model's own tensors."""

    class Keep(_Keep):
        def keep(self, model: Any) -> Any:
            return model.state_dict()

    return Keep()


def shallow_copy() -> Callback:
    """Copies the dictionary, and not the tensors in it."""

    class Keep(_Keep):
        def keep(self, model: Any) -> Any:
            return dict(model.state_dict())

    return Keep()


def fails_without_an_epoch() -> Callback:
    """Loads None after a run without epochs."""

    class Keep(_Keep):
        def after_fit(self, loop: Any) -> None:
            loop.model.load_state_dict(self.state)

    return Keep()


def begins_only_once() -> Callback:
    """Goes on with the numbers of the run before."""

    class Keep(_Keep):
        best, state = math.inf, None

        def before_fit(self, loop: Any) -> None:
            pass

    return Keep()


def last_of_equal_epochs() -> Callback:
    """Takes an equal loss for a better one."""

    class Keep(_Keep):
        def after_epoch(self, loop: Any) -> None:
            if loop.results[0] <= self.best:
                self.best, self.state = loop.results[0], self.keep(loop.model)

    return Keep()


def parameters_only() -> Callback:
    """Leaves the statistics of BatchNorm as they are."""

    class Keep(_Keep):
        def keep(self, model: Any) -> Any:
            return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

        def after_fit(self, loop: Any) -> None:
            if self.state is not None:
                loop.model.load_state_dict(self.state, strict=False)

    return Keep()


def watches_the_metric() -> Callback:
    """Looks at the last of the results."""

    class Keep(_Keep):
        def loss(self, loop: Any) -> float:
            return loop.results[-1]

    return Keep()


def highest_loss() -> Callback:
    """Keeps the worst epoch."""

    class Keep(_Keep):
        def loss(self, loop: Any) -> float:
            return -loop.results[0]

    return Keep()


def puts_back_after_each_epoch() -> Callback:
    """Goes on from the best epoch, not from the last one."""

    class Keep(_Keep):
        def after_epoch(self, loop: Any) -> None:
            super().after_epoch(loop)
            loop.model.load_state_dict(self.state)

    return Keep()


def returns_the_class() -> type[Callback]:
    """Forgets the brackets."""
    return _Keep


def keeps_the_first_epoch() -> Callback:
    """Never notes the lowest loss, so that it compares with the first one."""

    class Keep(_Keep):
        def after_epoch(self, loop: Any) -> None:
            if self.state is None or loop.results[0] < self.best:
                self.state = self.keep(loop.model)
                self.best = min(self.best, 0.0)

    return Keep()
