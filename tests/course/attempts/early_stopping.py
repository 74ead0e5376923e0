"""Wrong attempts at `early_stopping`, written by someone who has not seen the catalogue."""

import math

from coursekit.training.callbacks import Callback, StopTraining


def compares_with_the_epoch_before(patience: int) -> Callback:
    """Looks at the previous loss, not at the lowest: 1, 3, 2 counts as better in the third epoch."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.last, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            self.waited = 0 if loss < self.last else self.waited + 1
            self.last = loss
            if self.waited >= patience:
                raise StopTraining

    return Stopper()


def never_resets_the_count(patience: int) -> Callback:
    """Counts bad epochs over the whole run, not in a row."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best = loss
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def checks_before_counting(patience: int) -> Callback:
    """Asks whether the patience is used up before it counts this epoch: one bad epoch too many."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best, self.waited = loss, 0
                return
            if self.waited == patience:
                raise StopTraining
            self.waited += 1

    return Stopper()


def counts_the_best_epoch_too(patience: int) -> Callback:
    """Begins to count at 1 with the best epoch itself: one bad epoch too few."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 1

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best, self.waited = loss, 1
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def never_starts_afresh(patience: int) -> Callback:
    """Sets its state when it is made: the second run goes on with the first one's lowest loss and count."""

    class Stopper(Callback):
        best, waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def keeps_the_lowest_loss_between_runs(patience: int) -> Callback:
    """Resets the count but not the lowest loss: a second, worse run stops too early."""

    class Stopper(Callback):
        best = math.inf

        def before_fit(self, loop):
            self.waited = 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


class _Shared(Callback):
    patience = 0

    def before_fit(self, loop):
        self.best, self.waited = math.inf, 0

    def after_epoch(self, loop):
        loss = loop.results[0]
        if loss < self.best:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
            if self.waited >= self.patience:
                raise StopTraining


_STATE = {"best": math.inf, "waited": 0}


def highest_is_best(patience: int) -> Callback:
    """Takes the result for an accuracy: waits for a new highest."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = -math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss > self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def looks_at_the_last_result(patience: int) -> Callback:
    """Looks at results[-1]: a metric, as soon as there is one."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[-1]
            if loss < self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def compares_the_whole_list(patience: int) -> Callback:
    """Compares lists of results: an equal loss with a lower metric counts as better."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = [math.inf], 0

        def after_epoch(self, loop):
            if loop.results < self.best:
                self.best, self.waited = list(loop.results), 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def compares_with_patience_epochs_ago(patience: int) -> Callback:
    """Stops if the loss isn't lower than `patience` epochs ago: 1.0, 0.5, 2.0 stops with patience 2, too early."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.losses = []

        def after_epoch(self, loop):
            self.losses.append(loop.results[0])
            if len(self.losses) > patience and self.losses[-1] >= self.losses[-patience - 1]:
                raise StopTraining

    return Stopper()


def lowest_starts_at_a_hundred(patience: int) -> Callback:
    """Takes 100 for infinity: losses above it never count as a new lowest."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = 100.0, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def compares_magnitudes(patience: int) -> Callback:
    """Compares absolute values: wrong for negative losses."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = abs(loop.results[0])
            if loss < self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def updates_before_comparing(patience: int) -> Callback:
    """Takes the minimum first: no loss is ever lower than that, so it stops after `patience` epochs always."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            self.best = min(self.best, loss)
            self.waited = 0 if loss < self.best else self.waited + 1
            if self.waited >= patience:
                raise StopTraining

    return Stopper()


def forgets_to_lower_the_bar(patience: int) -> Callback:
    """Resets the count but keeps the first loss as the lowest."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = None, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if self.best is None:
                self.best = loss
            elif loss < self.best:
                self.waited = 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper()


def raises_another_exception(patience: int) -> Callback:
    """Raises StopIteration: the run doesn't end in good order."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopIteration

    return Stopper()


def returns_the_class(patience: int) -> Callback:
    """Returns the class instead of an object of it."""

    class Stopper(Callback):
        def before_fit(self, loop):
            self.best, self.waited = math.inf, 0

        def after_epoch(self, loop):
            loss = loop.results[0]
            if loss < self.best:
                self.best, self.waited = loss, 0
            else:
                self.waited += 1
                if self.waited >= patience:
                    raise StopTraining

    return Stopper
