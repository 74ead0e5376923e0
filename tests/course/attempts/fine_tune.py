"""Wrong attempts at `fine_tune`, written by someone who has not seen the catalogue."""


def unfreezes_at_the_end(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Unfreezes after both calls."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    learn.unfreeze()
    return learn


def freezes_again_at_the_end(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Leaves the model frozen at the end."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    learn.freeze()
    return learn


def late_body_in_the_first_phase(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """freeze_to(1): the late body trains in the first phase."""
    learn.freeze_to(1)
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def always_one_frozen_epoch(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Ignores freeze_epochs: right for the default."""
    learn.freeze()
    learn.fit_one_cycle(1, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def epochs_are_the_sum(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Takes epochs for the sum of both phases."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs - freeze_epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def plain_rate_first(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Gives a number where a slice is asked for."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, base_lr, pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def low_of_the_base(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """The low end is a hundredth of base_lr, not of the high end."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    learn.fit_one_cycle(epochs, slice(base_lr / 100, base_lr / 2), pct_start=0.3, div=5.0)
    return learn


def ends_swapped(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """The slice begins with the high end."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high, high / 100), pct_start=0.3, div=5.0)
    return learn


def tuple_for_slice(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """A tuple in place of a slice."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, (high / 100, high), pct_start=0.3, div=5.0)
    return learn


def base_ignored(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Writes the default's numbers: right for the default."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(2e-3), pct_start=0.99)
    learn.unfreeze()
    learn.fit_one_cycle(epochs, slice(1e-5, 1e-3), pct_start=0.3, div=5.0)
    return learn


def other_default_epochs(learn, epochs, base_lr=2e-3, freeze_epochs=3):
    """Another default number of frozen epochs."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def div_in_both(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Gives div to both phases."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99, div=5.0)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def options_swapped(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Swaps the options of the phases."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.3, div=5.0)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.99)
    return learn


def extra_option(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Keeps features in the first phase, which was not asked for (and fails with train_bn=True)."""
    learn.freeze()
    learn.fit_one_cycle(freeze_epochs, slice(base_lr), pct_start=0.99, cache_features=True)
    learn.unfreeze()
    high = base_lr / 2
    learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def one_epoch_at_a_time(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """One cycle for each epoch."""
    learn.freeze()
    for _ in range(freeze_epochs):
        learn.fit_one_cycle(1, slice(base_lr), pct_start=0.99)
    learn.unfreeze()
    high = base_lr / 2
    for _ in range(epochs):
        learn.fit_one_cycle(1, slice(high / 100, high), pct_start=0.3, div=5.0)
    return learn


def calls_the_library(learn, epochs, base_lr=2e-3, freeze_epochs=1):
    """Calls learn.fine_tune."""
    return learn.fine_tune(epochs, base_lr, freeze_epochs)
