"""Wrong attempts at `unfreeze_in_turn`, written by someone who has not seen the catalogue."""


def all_first(learn, epochs, high):
    """The other way round: all, late body and head, head."""
    for n in (0, -2, -1):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high))
        high /= 2
    return learn


def never_halves(learn, epochs, high):
    """Forgets to halve."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high))
    return learn


def halves_before(learn, epochs, high):
    """Halves before the first phase."""
    for n in (-1, -2, 0):
        high /= 2
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high))
    return learn


def tenths(learn, epochs, high):
    """A tenth in place of a half."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high))
        high /= 10
    return learn


def divides_by_the_phase(learn, epochs, high):
    """high / 1, high / 2, high / 3."""
    for i, n in enumerate((-1, -2, 0), start=1):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / i / 100, high / i))
    return learn


def low_stays(learn, epochs, high):
    """Computes the low end once."""
    low = high / 100
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(low, high))
        high /= 2
    return learn


def low_is_a_tenth(learn, epochs, high):
    """A tenth for the low end."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 10, high))
        high /= 2
    return learn


def plain_rate(learn, epochs, high):
    """One rate for all."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, high)
        high /= 2
    return learn


def ends_swapped(learn, epochs, high):
    """The slice begins with high."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high, high / 100))
        high /= 2
    return learn


def no_head_phase(learn, epochs, high):
    """Forgets the phase of the head alone."""
    for n in (-2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high))
        high /= 2
    return learn


def never_all(learn, epochs, high):
    """Forgets the last phase."""
    for n in (-1, -2):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high))
        high /= 2
    return learn


def counts_trained_groups(learn, epochs, high):
    """Takes freeze_to(n) for: n groups train."""
    for n in (1, 2, 3):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high))
        high /= 2
    return learn


def freezes_after_the_fit(learn, epochs, high):
    """Trains first, then freezes: each phase has the state of the one before."""
    for n in (-1, -2, 0):
        learn.fit_one_cycle(epochs, slice(high / 100, high))
        learn.freeze_to(n)
        high /= 2
    return learn


def epochs_shared_out(learn, epochs, high):
    """Takes epochs for the sum of all phases."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs // 3, slice(high / 100, high))
        high /= 2
    return learn


def one_epoch_at_a_time(learn, epochs, high):
    """One cycle for each epoch."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        for _ in range(epochs):
            learn.fit_one_cycle(1, slice(high / 100, high))
        high /= 2
    return learn


def options_of_fine_tune(learn, epochs, high):
    """Takes over the options of fine_tune."""
    for n in (-1, -2, 0):
        learn.freeze_to(n)
        learn.fit_one_cycle(epochs, slice(high / 100, high), pct_start=0.3, div=5.0)
        high /= 2
    return learn
