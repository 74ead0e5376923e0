"""Checkpoints: whole or not there, refused with the difference named, and runs that survive a kill bit for bit."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.core import TrainingError
from coursekit.training.callbacks import Callback, GradientAccumulation, GradientClip, MixUp
from coursekit.training.checkpoint import (
    FORMAT,
    check_facts,
    data_hash,
    differences,
    model_file,
    read_checkpoint,
    write_checkpoint,
)
from coursekit.training.learner import vision_learner
from coursekit.training.logs import CSVLog
from coursekit.training.monitors import EarlyStopping, SaveBest
from coursekit.training.schedule import ParamScheduler, anneal_linear, one_cycle


def same_weights(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


class Interrupt(Callback):
    """Ends a run in the middle of an epoch, as Ctrl-C does."""

    def __init__(self, epoch, batch=1):
        self.epoch, self.batch = epoch, batch

    def before_batch(self, learn):
        if learn.epoch == self.epoch and learn.batch == self.batch:
            raise KeyboardInterrupt


# ---- the file


def test_tensors_and_facts_come_back_as_they_were(tmp_path):
    tensors = {
        "a": torch.randn(3, 4).to(torch.bfloat16),
        "b": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    }
    facts = {"numbers": [0.1 + 0.2, 1e-300, 2**60], "text": "naïve", "none": None}
    write_checkpoint(tmp_path / "c.safetensors", tensors, facts)
    found, read = read_checkpoint(tmp_path / "c.safetensors")
    assert read == facts and all(torch.equal(found[k], v) and found[k].dtype == v.dtype for k, v in tensors.items())


def test_a_missing_file_is_named_with_what_is_there(tmp_path):
    write_checkpoint(tmp_path / "stage-1.safetensors", {}, {})
    with pytest.raises(TrainingError, match=r"stage-1\.safetensors"):
        read_checkpoint(tmp_path / "stage-2.safetensors")


@pytest.mark.parametrize("n_bytes", [0, 7, 100, -1])
def test_a_damaged_file_is_refused(tmp_path, n_bytes):
    file = tmp_path / "c.safetensors"
    write_checkpoint(file, {"a": torch.zeros(1000)}, {})
    file.write_bytes(file.read_bytes()[:n_bytes])
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(file)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save(Bomb(), tmp_path / "c.safetensors")
    with pytest.raises(TrainingError):
        read_checkpoint(tmp_path / "c.safetensors")
    assert not (tmp_path / "ran").exists()


def test_a_safetensors_file_of_another_kind_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(TrainingError, match=FORMAT):
        read_checkpoint(tmp_path / "weights.safetensors")


def test_a_disk_that_is_full_leaves_the_older_file(tmp_path):
    """A limit on the size of files makes the write fail for real, in the middle."""
    file = tmp_path / "c.safetensors"
    write_checkpoint(file, {"a": torch.ones(10)}, {"version": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with pytest.raises(TrainingError, match="could not be written") as error:
            write_checkpoint(file, {"a": torch.zeros(1_000_000)}, {"version": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert os.strerror(errno.EFBIG) in str(error.value) or "size" in str(error.value).lower()
    assert read_checkpoint(file)[1] == {"version": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["c.safetensors"]


# ---- save and load


def test_save_and_load_bring_weights_and_optimiser_back(make_toy_learner, tmp_path):
    learn = make_toy_learner()
    learn.fit(1)
    file = learn.save(tmp_path / "stage-1")
    learn.fit(1)
    after_two = {k: v.clone() for k, v in learn.model.state_dict().items()}
    other = make_toy_learner(seed=42)
    other.load(file).fit(1)
    assert all(torch.equal(after_two[k], v) for k, v in other.model.state_dict().items())


def test_a_bare_name_belongs_to_the_folder_models(toy_learner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert toy_learner.save("stage-1") == Path("models") / "stage-1.safetensors"
    assert toy_learner.load("stage-1") is toy_learner
    with pytest.raises(TrainingError, match=r"stage-1\.safetensors"):
        toy_learner.load("stage-2")


def test_weights_without_the_optimiser(make_toy_learner, tmp_path):
    learn = make_toy_learner()
    learn.fit(1)
    with_opt = learn.save(tmp_path / "with")
    without = learn.save(tmp_path / "without", with_opt=False)
    assert without.stat().st_size < with_opt.stat().st_size
    other = make_toy_learner()
    other.load(with_opt, with_opt=False)
    assert same_weights(learn.model, other.model) and not other.opt.state and other.epochs_done == 0


def test_a_checkpoint_of_another_model_is_refused_and_nothing_changes(make_toy_learner, tmp_path):
    learn = make_toy_learner()
    file = learn.save(tmp_path / "small")
    wide = make_toy_learner()
    wide.model[0] = nn.Conv2d(3, 5, 3)
    before = {k: v.clone() for k, v in wide.model.state_dict().items()}
    with pytest.raises(TrainingError, match=r"0\.weight is F32 \(4, 3, 3, 3\), not F32 \(5, 3, 3, 3\)"):
        wide.load(file)
    assert all(torch.equal(before[k], v) for k, v in wide.model.state_dict().items())


def test_another_architecture_is_named(image_loaders, tmp_path):
    dls = image_loaders()
    file = vision_learner(dls, "resnet18", pretrained=False).save(tmp_path / "r18")
    with pytest.raises(TrainingError, match="arch resnet18 there, mobilenetv3_small_050 here"):
        vision_learner(dls, "mobilenetv3_small_050", pretrained=False).load(file)


def test_loading_forgets_kept_features(make_lite0_learner, tmp_path):
    learn = make_lite0_learner()
    learn.fit(1, cache_features=True)
    with torch.no_grad():
        next(learn.model.body.parameters()).mul_(2)
    file = learn.save(tmp_path / "other")
    learn.load(file).fit(1, cache_features=True)
    fresh = make_lite0_learner()
    fresh.load(file).fit(1, cache_features=True)
    assert learn.recorder.losses == pytest.approx(fresh.recorder.losses)


# ---- resuming


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(make_toy_learner, tmp_path):
    whole, broken, resumed = make_toy_learner(), make_toy_learner(), make_toy_learner()
    whole.fit_one_cycle(4, 1e-2)
    with pytest.raises(KeyboardInterrupt):
        broken.fit_one_cycle(4, 1e-2, resume=tmp_path / "run.safetensors", cbs=Interrupt(2))
    resumed.fit_one_cycle(4, 1e-2, resume=tmp_path / "run.safetensors")
    assert same_weights(whole.model, resumed.model)
    assert resumed.recorder.values == whole.recorder.values
    assert resumed.recorder.losses.tolist() == whole.recorder.losses.tolist()
    assert resumed.recorder.lrs == whole.recorder.lrs
    whole.fit(1), resumed.fit(1)  # and so does what is trained afterwards
    assert same_weights(whole.model, resumed.model)


def test_a_run_that_is_done_is_not_done_again(make_toy_learner, tmp_path, capsys):
    first, second = make_toy_learner(), make_toy_learner()
    first.fit(2, resume=tmp_path / "run.safetensors")
    calls = []
    second.loss_func = lambda *args: calls.append(1)
    second.fit(2, resume=tmp_path / "run.safetensors")
    assert not calls and same_weights(first.model, second.model)
    assert "2 of 2 epochs are done" in capsys.readouterr().out


def test_a_chain_of_runs_is_taken_up_in_its_second_link(make_toy_learner, tmp_path):
    """What the first run had scheduled must not matter to the second: where it is taken up, the first is not run."""

    def chain(learn, name):
        learn.fit_one_cycle(2, 1e-2, resume=tmp_path / f"{name}-first.safetensors")
        learn.fit(2, resume=tmp_path / f"{name}-second.safetensors")
        return learn.model

    whole = chain(make_toy_learner(), "whole")
    chain(make_toy_learner(), "broken")
    (tmp_path / "broken-second.safetensors").unlink()  # killed before its first epoch was over
    assert same_weights(whole, chain(make_toy_learner(), "broken"))


@pytest.mark.parametrize(
    ("difference", "change"),
    [
        ("a run of 3 epochs, 1 of them done, and 4 are asked for", {"n_epoch": 4}),
        (r"Cause: learning rate 0.01 there, 0.02 here\.\n", {"lr_max": 2e-2}),
        (r"Cause: weight decay 0.01 there, 0.5 here\.\n", {"wd": 0.5}),
        (r"schedule of lr \(div, div_final, pct_start\); the schedule of momentum", {"pct_start": 0.5}),
        (r"Cause: the schedule of momentum \(moms, pct_start\)\.\n", {"moms": (0.9, 0.8, 0.9)}),
        (r"Cause: GradientAccumulation only here\.\n", {"cbs": [GradientAccumulation(2)]}),
    ],
)
def test_another_run_is_refused_by_what_was_changed_and_no_more(make_toy_learner, tmp_path, difference, change):
    settings = {"n_epoch": 3, "lr_max": 1e-2, "resume": tmp_path / "run.safetensors"}
    with pytest.raises(KeyboardInterrupt):
        make_toy_learner().fit_one_cycle(**settings | {"cbs": [Interrupt(1)]})
    with pytest.raises(TrainingError, match=difference):
        make_toy_learner().fit_one_cycle(**settings | change)


def test_schedules_of_the_same_shape_at_another_height_are_another_run(make_toy_learner, tmp_path):
    """The rate that `fit` is given is the same: only the schedules differ."""
    settings = {"n_epoch": 2, "lr": 1e-3, "resume": tmp_path / "run.safetensors"}
    make_toy_learner().fit(**settings, cbs=ParamScheduler({"lr": one_cycle(1e-2)}))
    with pytest.raises(TrainingError, match=r"Cause: the schedule of lr is higher or lower throughout\."):
        make_toy_learner().fit(**settings, cbs=ParamScheduler({"lr": one_cycle(2e-2)}))


@pytest.mark.parametrize(
    ("key", "there", "here", "words"),
    [
        ("seeds", [42, 42], [42, 42], []),
        ("vocab", ["cat", "dog"], ["cat", "fox", "hen"], ["classes: dog only there, fox, hen only here"]),
        ("vocab", ["cat", "dog"], ["dog", "cat"], ["classes: the same in another order"]),
        ("learning rates", [1e-5, 1e-3], [2e-5, 1e-3], ["learning rate 1e-05 there, 2e-05 here"]),
        ("learning rates", [1e-3], [1e-4, 2e-3], ["learning rate 0.001 there, 0.002 here"]),
        ("transforms", ["Resize(32)", "[]"], ["Resize(64)", "[]"], ["item_tfms Resize(32) there, Resize(64) here"]),
        ("optimiser", {"kind": "SGD", "momentum": 0}, {"kind": "SGD", "momentum": 0, "new": 1}, []),
        ("optimiser", {"kind": "SGD"}, {"kind": "AdamW"}, ["optimiser kind SGD there, AdamW here"]),
        ("callbacks", {"MixUp": {"alpha": 0.4}}, {"MixUp": {"alpha": 0.2}}, ["MixUp alpha 0.4 there, 0.2 here"]),
        ("callbacks", {"MixUp": {"alpha": 0.4}}, {}, ["MixUp only there"]),
    ],
)
def test_what_differs_is_told_in_a_few_words(key, there, here, words):
    assert differences(key, there, here) == words


def test_other_data_are_refused(make_toy_learner, tmp_path):
    learn = make_toy_learner()
    learn.fit(1, resume=tmp_path / "run.safetensors")
    photo = Path(learn.dls.train.sources[0])
    photo.rename(photo.with_name("another.png"))
    with pytest.raises(TrainingError, match="data: "):
        make_toy_learner().fit(1, resume=tmp_path / "run.safetensors")


def test_callbacks_go_on_where_they_were(make_toy_learner, tmp_path):
    file, stopper = tmp_path / "run.safetensors", EarlyStopping("valid_loss", patience=2, min_delta=10.0)
    with pytest.raises(KeyboardInterrupt):
        make_toy_learner().fit(6, resume=file, cbs=[stopper, Interrupt(2)])
    # the first epoch is the best, the second was waited for: one more, and it stops
    resumed = make_toy_learner()
    resumed.fit(6, resume=file, cbs=[EarlyStopping("valid_loss", patience=2, min_delta=10.0)])
    assert len(resumed.recorder.values) == 3


def test_fine_tune_is_resumed_in_either_phase(make_lite0_learner, tmp_path):
    whole = make_lite0_learner()
    whole.fine_tune(2, cache_features=True)
    for run, (phase_epochs, epoch) in enumerate([(2, 1), (1, 0)]):

        class Break(Callback):
            def before_epoch(self, learn, wanted=(phase_epochs, epoch)):
                if (learn.n_epochs, learn.epoch) == wanted:
                    raise KeyboardInterrupt

        file = tmp_path / f"{run}.safetensors"
        with pytest.raises(KeyboardInterrupt):
            make_lite0_learner().fine_tune(2, cache_features=True, resume=file, cbs=Break())
        resumed = make_lite0_learner()
        resumed.fine_tune(2, cache_features=True, resume=file)
        assert same_weights(whole.model, resumed.model)


# ---- a run that becomes longer


def test_a_finished_run_at_a_constant_rate_goes_on_as_if_it_had_been_asked_for(make_toy_learner, tmp_path, capsys):
    whole, file = make_toy_learner(), tmp_path / "run.safetensors"
    whole.fit(5, 1e-2)
    make_toy_learner().fit(3, 1e-2, resume=file)
    extended = make_toy_learner()
    extended.fit(5, 1e-2, resume=file)
    assert same_weights(whole.model, extended.model)
    assert extended.recorder.values == whole.recorder.values
    assert "a run of 3 epochs, 3 of them done, and 5 are asked for: it goes on to 5" in capsys.readouterr().out
    make_toy_learner().fit(5, 1e-2, resume=file)  # that is the run in the file from now on
    with pytest.raises(TrainingError, match="What is done stays done"):
        make_toy_learner().fit(4, 1e-2, resume=file)


@pytest.mark.parametrize("method", ["fit_one_cycle", "fit_flat_cos"])
def test_a_planned_run_is_not_extended_and_the_remedy_can_be_followed(make_toy_learner, tmp_path, method):
    first, file = make_toy_learner(), tmp_path / "run.safetensors"
    getattr(first, method)(2, 1e-2, resume=file)
    learn = make_toy_learner()
    with pytest.raises(TrainingError, match=r"planned for 2 epochs(.|\n)*learn\.load"):
        getattr(learn, method)(3, 1e-2, resume=file)
    learn.load(file)
    assert same_weights(first.model, learn.model)
    getattr(learn, method)(3, 1e-2, resume=tmp_path / "more.safetensors")
    assert learn.epochs_done == 5


# ---- numbers of other libraries, and what JSON cannot hold


class Odd(Callback):
    """Gives what it is told as its settings and its state."""

    def __init__(self, settings=None, state=None):
        self.given = settings or {}, state or {}

    def settings(self):
        return self.given[0]

    def state(self):
        return self.given[1]


@pytest.mark.parametrize("number", [np.float32, np.float64, torch.tensor], ids=["float32", "float64", "tensor"])
def test_numbers_of_other_libraries_are_written_and_resumed(make_toy_learner, tmp_path, number):
    def train(name):
        learn = make_toy_learner()
        callbacks = [GradientClip(number(0.5)), MixUp(number(0.5)), GradientAccumulation(np.int64(2))]
        watching = [
            EarlyStopping(patience=np.int64(3), min_delta=number(0.01)),
            Odd({"x": number(0.5)}, {"n": number(2)}),
        ]
        watching += [ParamScheduler({"lr": anneal_linear(number(0.01), number(0.001))})]
        learn.fit(2, 1e-2, wd=number(0.25), resume=tmp_path / name, cbs=[*callbacks, *watching])
        return learn

    first, again = train("run.safetensors"), train("run.safetensors")
    assert same_weights(first.model, again.model)
    facts = read_checkpoint(tmp_path / "run.safetensors")[1]
    assert facts["callbacks"]["MixUp"] == {"alpha": 0.5} and facts["states"]["Odd"] == {"n": 2}
    assert {type(rate) for rate in first.recorder.lrs} == {float}


@pytest.mark.parametrize(
    ("odd", "named"), [(Odd({"x": {1}}), r"Odd\.settings"), (Odd(None, {"x": Path()}), r"Odd\.state")]
)
def test_what_cannot_be_written_is_refused_before_the_first_epoch(make_toy_learner, tmp_path, odd, named):
    learn = make_toy_learner()
    with pytest.raises(TrainingError, match=f"What {named}.* cannot be written to a checkpoint"):
        learn.fit(1, resume=tmp_path / "run.safetensors", cbs=odd)
    assert learn.epochs_done == 0 and not learn.opt.state


# ---- where files go


def test_names_become_files_in_one_way(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert model_file("resnet_0.95") == Path("models/resnet_0.95.safetensors")
    assert model_file("there/resnet_0.95") == Path("there/resnet_0.95.safetensors")
    assert model_file("best.safetensors") == Path("best.safetensors")
    assert model_file("~/stage1") == tmp_path / "stage1.safetensors"


def test_home_is_found_by_all_that_is_kept(make_toy_learner, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    learn = make_toy_learner()
    learn.fit(1, resume="~/run.safetensors", cbs=[SaveBest("~/best"), CSVLog("~/log.csv")])
    assert learn.load("~/best") is learn and learn.load("~/run.safetensors") is learn
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["best.safetensors", "log.csv", "run.safetensors"]
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("ending", [".pth", ".pkl", ".PT"])
def test_a_file_with_the_ending_of_a_pickle_is_refused_before_training(toy_learner, tmp_path, ending):
    for wrong in (
        lambda: toy_learner.save(tmp_path / f"stage1{ending}"),
        lambda: toy_learner.load(tmp_path / f"stage1{ending}"),
        lambda: toy_learner.fit(1, resume=tmp_path / f"stage1{ending}"),
        lambda: toy_learner.fit(1, cbs=SaveBest(tmp_path / f"stage1{ending}")),
    ):
        with pytest.raises(TrainingError, match=r"ending of a pickle(.|\n)*stage1\.safetensors"):
            wrong()
    assert toy_learner.epochs_done == 0


def test_what_a_kill_left_half_written_goes_with_the_next_save(toy_learner, tmp_path):
    code = f"""
import os, signal
from coursekit.training import checkpoint
checkpoint.save_file = lambda tensors, path, header: (path.write_bytes(b"half"), os.kill(os.getpid(), signal.SIGKILL))
checkpoint.write_checkpoint({str(tmp_path / "stage-1.safetensors")!r}, {{}}, {{}})
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    assert len(list(tmp_path.glob(".tmp-*"))) == 1
    toy_learner.save(tmp_path / "stage-2")
    assert not list(tmp_path.glob(".tmp-*")) and (tmp_path / "stage-2.safetensors").exists()


# ---- the data's fingerprint


def test_names_and_targets_make_the_fingerprint():
    assert data_hash((["a/1.jpg"], [0])) != data_hash((["a/1.jpg"], [1]))
    assert data_hash((["1.jpg", "2.jpg"], [0, 0])) != data_hash((["2.jpg", "1.jpg"], [0, 0]))
    assert data_hash((["1.jpg"], None), (["2.jpg"], None)) != data_hash((["1.jpg", "2.jpg"], None), ([], None))


# ---- kill -9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes, which this system does not have")
def test_a_run_killed_at_random_moments_ends_bit_for_bit_as_one_that_was_not(image_loaders, tmp_path):
    """Two kills in each of these settings; see the script for how. It says where each kill fell."""
    dls = image_loaders()  # the photos must be there; the script makes its own loaders over them
    script = Path(__file__).parent.with_name("killed_runs.py")
    photos = Path(dls.train.sources[0]).parent.parent
    result = subprocess.run(
        [sys.executable, script, photos, tmp_path / "runs"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, textwrap.shorten(result.stderr[-3000:], 3000)
    report = json.loads(result.stdout.splitlines()[-1])
    assert sum(len(run["kills"]) for run in report) >= 10
    assert {run["setting"] for run in report} == {
        "frozen",
        "features kept",
        "unfrozen",
        "unfrozen, fp16",
        "unfrozen, bf16",
        "unfrozen, SGD",
    }
    assert all(run["equal"] for run in report), report
    # the kills fell into different epochs, and some of them into the writing of a file
    assert len({kill["epochs_done"] for run in report for kill in run["kills"]}) >= 2


def test_other_classes_are_refused_with_the_way_to_start_from_the_weights():
    with pytest.raises(TrainingError, match=r"classes: .*\n.*vision_learner\(dls, arch, weights='m.safetensors'\)"):
        check_facts("m.safetensors", {"vocab": ["cat", "dog"]}, {"vocab": ["cat", "cow"]})
