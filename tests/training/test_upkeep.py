"""What is exchanged between two runs is taken up or refused, and looking at a model in training changes nothing."""

import copy
import json
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import timm.optim
import torch
from safetensors import safe_open
from torch import nn

from coursekit.arguments import ArgumentError
from coursekit.augment.colour import Normalize
from coursekit.augment.resize import Resize
from coursekit.core import TrainingError
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.files import parent_label
from coursekit.data.splits import StratifiedSplitter
from coursekit.export.folder import load_learner
from coursekit.losses import CrossEntropyLoss
from coursekit.metrics import accuracy, error_rate
from coursekit.models.inference import unwrap
from coursekit.models.model import create_head
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.results.saliency import grad_cam, plot_grad_cam
from coursekit.training.callbacks import Callback, ProgressTable
from coursekit.training.learner import Learner, vision_learner
from coursekit.training.logs import CSVLog
from coursekit.training.monitors import SaveBest
from coursekit.training.recorder import Recorder
from coursekit.training.schedule import ParamScheduler


def state_of(model):
    return {name: tensor.clone() for name, tensor in unwrap(model).state_dict().items()}


def moved(before, model, prefix=""):
    """Names of the tensors that are not what they were."""
    return [n for n, t in state_of(model).items() if n.startswith(prefix) and not torch.equal(t, before[n])]


def new_head(learn, seed=0):
    n_in = unwrap(learn.model).head.norm1.num_features
    unwrap(learn.model).head = create_head(n_in, learn.dls.c, n_hidden=16, seed=seed)


class At(Callback):
    """Calls a function at one event, in the second batch (or at the epoch's own events)."""

    order = 60

    def __init__(self, event, action):
        setattr(self, event, lambda learn: action(learn) if event in EPOCH_EVENTS or learn.batch == 1 else None)


EPOCH_EVENTS = ("before_epoch", "before_train", "after_train", "before_validate", "after_validate", "after_epoch")
BATCH_EVENTS = ("before_batch", "after_loss", "before_step", "after_batch")


# ---- looking changes nothing


def look_at_everything(learn):
    photo = learn.dls.train.sources[0]
    learn.predict(photo)
    learn.validate()
    learn.validate(learn.dls.train)
    learn.get_preds(ds_idx=0, with_loss=True)
    learn.get_features(learn.dls.train)
    learn.tta(n=1)
    learn.show_results(max_n=2)
    learn.dls.show_batch(max_n=2)
    learn.summary()
    learn.recorder.plot_sched()
    if learn.event != "after_loss":  # the backward pass needs the weights as they were written last
        learn.lr_find(num_it=20, show_plot=False, stop_div=False)
    ClassificationInterpretation.from_learner(learn, dl=learn.dls.train).plot_top_losses(2)
    plot_grad_cam(learn, photo)


@pytest.mark.filterwarnings("ignore:No learning rate is suggested")
@pytest.mark.parametrize("event", ["before_train", *BATCH_EVENTS, "after_epoch"])
def test_looking_in_a_callback_changes_nothing(make_small_learner, event):
    def look(learn):
        names = ("training", "batch", "epoch", "xb", "yb", "logits", "loss", "grad_weight", "n_batches", "progress")
        before = {name: getattr(learn, name, None) for name in names}
        modes = [module.training for module in learn.model.modules()]
        gradients = [p.grad for p in learn.model.parameters()]
        learn.event = event
        randomness, epoch = torch.get_rng_state(), learn.dls.train.epoch
        look_at_everything(learn)
        assert all(getattr(learn, name, None) is value for name, value in before.items())
        assert [module.training for module in learn.model.modules()] == modes
        assert all(p.grad is g for p, g in zip(learn.model.parameters(), gradients, strict=True))
        assert torch.equal(torch.get_rng_state(), randomness) and learn.dls.train.epoch == epoch
        looks.append(event)

    looks = []
    watched, alone = make_small_learner(), make_small_learner()
    watched.fit(2, 1e-2, cbs=At(event, look))
    alone.fit(2, 1e-2)
    assert len(looks) == 2
    assert moved(state_of(alone.model), watched.model) == []
    assert watched.recorder.losses.tolist() == alone.recorder.losses.tolist()
    assert watched.recorder.values == alone.recorder.values


def test_a_fit_inside_a_fit_is_refused(toy_learner):
    with pytest.raises(TrainingError, match="under way"):
        toy_learner.fit(1, cbs=At("after_batch", lambda learn: learn.fit(1)))
    toy_learner.fit(1)  # and the learner can be used


# ---- other layers, another model


@pytest.mark.parametrize("frozen", [True, False])
def test_a_new_head_is_trained(make_small_learner, frozen):
    learn = make_small_learner()
    learn.fit(1, 1e-2)
    new_head(learn)
    if frozen:
        learn.freeze()
    before = state_of(learn.model)
    learn.fit(1, 1e-2)
    weights = [name for name, _ in learn.model.head.named_parameters()]
    assert set(moved(before, learn.model, "head.")) >= {f"head.{name}" for name in weights}
    assert bool(moved(before, learn.model, "body.")) != frozen
    assert learn.summary().group.dropna().unique().tolist() == [0, 1, 2]


def test_another_model_is_trained_and_keeps_its_groups(make_small_learner):
    learn, other = make_small_learner(), make_small_learner(seed=7)
    learn.fit(1)
    learn.model = other.model
    learn.freeze()
    before = state_of(learn.model)
    learn.fit(1, 1e-2)
    assert moved(before, learn.model, "body.") == [] and moved(before, learn.model, "head.")
    learn.unfreeze()
    learn.fit(1, slice(1e-4, 1e-2))
    assert set(moved(before, learn.model)) >= {name for name, _ in learn.model.named_parameters()}


def test_a_layer_of_a_plain_model_that_was_replaced_is_trained_and_the_others_keep_their_averages(toy_learner):
    toy_learner.fit(1)
    first, averages = toy_learner.model[0].weight, None
    averages = toy_learner.opt.state[first]["exp_avg"]
    toy_learner.model[-1] = nn.Linear(4, 2)
    before = state_of(toy_learner.model)
    toy_learner.lr_find(num_it=20, show_plot=False)
    toy_learner.fit(1, 1e-2)
    assert "6.weight" in moved(before, toy_learner.model)
    assert toy_learner.opt.state[first]["exp_avg"] is averages


def test_parameters_in_no_layer_group_are_refused_before_the_first_step(make_small_learner):
    learn = make_small_learner()
    before = state_of(learn.model)
    learn.model.temperature = nn.Parameter(torch.ones(3))
    for train in (learn.fit, lambda n: learn.lr_find(num_it=20, show_plot=False)):
        with pytest.raises(TrainingError, match="3 parameters of the model are in no layer group: temperature"):
            train(1)
    del learn.model.temperature
    assert moved(before, learn.model) == []


def test_groups_that_were_given_as_lists_do_not_follow_a_new_head(toy_learner):
    model = toy_learner.model
    toy_learner.groups = [[model[0]], [model[1], model[-1]]]
    toy_learner.fit(1, [1e-4, 1e-2])
    model[-1] = nn.Linear(4, 2)
    with pytest.raises(
        TrainingError, match=r"10 parameters .* 6\.weight and 6\.bias|10 parameters .* 6\.weight, 6\.bias"
    ):
        toy_learner.fit(1)
    toy_learner.groups = [[model[0]], [model[1], model[-1]]]
    toy_learner.fit(1)


@pytest.mark.parametrize("event", ["before_epoch", "before_train", "after_batch", "after_epoch"])
def test_a_callback_that_puts_other_layers_into_the_model_is_refused(make_small_learner, event):
    with pytest.raises(TrainingError, match="no layer group"):
        make_small_learner().fit(1, cbs=At(event, new_head))  # in the last epoch too


@pytest.mark.parametrize("name", ["model", "dls", "metrics"])
def test_what_a_run_was_begun_with_cannot_be_exchanged_by_a_callback(make_small_learner, image_loaders, name):
    learn, other = make_small_learner(), make_small_learner()
    new = {"model": other.model, "dls": image_loaders(augment=False, bs=4), "metrics": [accuracy, error_rate]}[name]
    with pytest.raises(TrainingError, match=f"{name} was set in a run"):
        learn.fit(1, cbs=At("before_epoch", lambda learn: setattr(learn, name, new)))
    setattr(learn, name, new)
    learn.fit(1)


def test_metrics_that_a_callback_adds_to_the_list_are_refused(make_small_learner):
    with pytest.raises(TrainingError, match="metrics was changed in a run"):
        make_small_learner().fit(1, cbs=At("after_batch", lambda learn: learn.metrics.append(accuracy)))


def test_a_loss_that_a_callback_sets_is_looked_at(make_small_learner):
    learn = make_small_learner()
    learn.fit(1, cbs=At("before_epoch", lambda learn: setattr(learn, "loss_func", CrossEntropyLoss())))
    with pytest.raises(TrainingError, match="class"):
        learn.fit(1, cbs=At("before_epoch", lambda learn: setattr(learn, "loss_func", CrossEntropyLoss)))


@pytest.mark.parametrize("wrap", [nn.DataParallel, partial(torch.compile, backend="eager")])
def test_a_wrapped_model_trains_saves_loads_and_exports_under_its_own_names(make_small_learner, wrap, tmp_path):
    learn, plain = make_small_learner(), make_small_learner()
    learn.model = wrap(learn.model)
    for one in (learn, plain):
        one.fit(1, slice(1e-3, 1e-2))
        one.freeze()
        one.fit(1, cache_features=True)
    assert moved(state_of(plain.model), learn.model) == []
    photo = learn.dls.valid.sources[0]
    probs = learn.predict(photo)[2]
    assert torch.allclose(load_learner(learn.export(tmp_path / "export")).predict(photo)[2], probs, atol=1e-6)
    other = make_small_learner().load(learn.save(tmp_path / "wrapped.safetensors"))
    assert moved(state_of(learn.model), other.model) == [] and other.opt.state
    learn.load(other.save(tmp_path / "plain.safetensors"))
    assert torch.equal(learn.get_features(), other.get_features())
    assert learn.summary().layer.tolist() == other.summary().layer.tolist()
    assert torch.equal(grad_cam(learn.model, learn.dls.one_batch()[0]), grad_cam(other.model, learn.dls.one_batch()[0]))


# ---- kept features


def test_features_that_are_kept_are_those_of_the_body_as_it_is(make_small_learner):
    learn = make_small_learner()
    learn.freeze()
    learn.fit(1, cache_features=True)
    with torch.no_grad():
        for p in learn.model.body.parameters():
            p.mul_(0.5)
    again = make_small_learner()
    again.model.load_state_dict(learn.model.state_dict())
    again.freeze()
    again.epochs_done = learn.epochs_done
    learn.opt = None
    for one in (learn, again):
        one.fit(1, cache_features=True)
    assert learn.recorder.losses.tolist() == again.recorder.losses.tolist()


@pytest.mark.parametrize("edit", [lambda learn: learn.xb.mul_(2), lambda learn: setattr(learn, "xb", learn.xb + 1)])
def test_a_callback_that_edits_images_is_refused_with_kept_features(make_small_learner, edit):
    learn = make_small_learner()
    learn.freeze()
    learn.fit(1, cbs=At("before_batch", edit))
    before = state_of(learn.model)
    with pytest.raises(TrainingError, match="cache_features"):
        learn.fit(1, cbs=At("before_batch", edit), cache_features=True)
    with pytest.raises(TrainingError, match="cache_features"):
        cb = At("before_batch", edit)
        cb.changes_step = True
        learn.lr_find(num_it=20, cbs=cb, cache_features=True, show_plot=False)
    assert [n for n in moved(before, learn.model) if "norm" not in n and "linear" not in n] == []


# ---- other data


def test_data_of_another_size_are_taken(make_small_learner, image_loaders):
    learn = make_small_learner()
    learn.freeze()
    learn.fit(1, cache_features=True)
    learn.dls = image_loaders(augment=False, bs=4)
    learn.fit(1, cache_features=True)
    assert learn.n_batches == len(learn.dls.train)


@pytest.mark.filterwarnings("ignore:Classes without a training image")
def test_other_classes_are_refused_and_named(make_small_learner, tiny_images):
    learn = make_small_learner()
    mine = learn.dls
    for vocab, said in ((["light", "dark"], "another order"), (["dark", "light", "other"], "other")):
        blocks = (ImageBlock, CategoryBlock(vocab=vocab))
        block = DataBlock(blocks, get_y=parent_label, item_tfms=Resize(32))
        with pytest.raises(TrainingError, match=f"dark, light; these have .*{said}"):
            learn.dls = block.dataloaders(tiny_images, bs=4, cache=False)
    assert learn.dls is mine
    with pytest.raises(TrainingError, match="DataLoaders"):
        learn.dls = mine.train


def test_data_that_normalise_are_refused_by_a_learner_whose_model_does(make_small_learner, image_loaders, tmp_path):
    normalised = image_loaders(extra_tfms=(Normalize.from_stats((0.5,) * 3, (0.25,) * 3),))
    by_model, by_data = make_small_learner(), make_small_learner(normalised)
    plain = by_model.dls
    for learn, dls in ((by_model, normalised), (by_data, plain)):
        with pytest.raises(TrainingError, match=r"Normalize in batch_tfms, mean .*no Normalize|no Normalize.*mean"):
            learn.dls = dls
    with pytest.raises(TrainingError, match="twice"):
        Learner(normalised, by_model.model).fit(1)
    own = by_data.save(tmp_path / "own")
    by_data.model, image = by_model.model, normalised.valid.items[0]
    uses = [
        by_data.lr_find,
        by_data.validate,
        by_data.get_preds,
        by_data.tta,
        by_data.get_features,
        by_data.show_results,
    ]
    uses += [by_data.export, partial(by_data.predict, image), partial(by_data.save, tmp_path / "twice")]
    for use in (*uses, partial(ClassificationInterpretation.from_learner, by_data)):
        with pytest.raises(TrainingError, match="twice"):
            use()
    with pytest.raises(TrainingError, match="twice"):
        plot_grad_cam(by_data, image)
    by_data.load(own).validate()  # the weights come with what the model subtracts


@pytest.mark.parametrize("old", [False, True])
def test_a_checkpoint_of_the_other_way_to_normalise_is_refused(make_small_learner, image_loaders, tmp_path, old):
    normalised = image_loaders(extra_tfms=(Normalize.from_stats((0.5,) * 3, (0.25,) * 3),))
    learners = [make_small_learner(), make_small_learner(normalised)]
    files = [learn.save(tmp_path / f"{i}.safetensors") for i, learn in enumerate(learners)]
    if old:  # as it was written before the fact was known
        for file in files:
            drop_fact(file, "normalize")
    for i, learn in enumerate(learners):
        learn.load(files[i])
        before = state_of(learn.model)
        with pytest.raises(TrainingError, match=r"There: .*Normalize in batch_tfms.*Here: .*Normalize in batch_tfms"):
            learn.load(files[1 - i])
        assert moved(before, learn.model) == []


def drop_fact(file, name):
    from safetensors.torch import load_file, save_file

    with safe_open(file, framework="pt") as opened:
        header = opened.metadata()
    facts = json.loads(header["facts"])
    del facts[name]
    save_file(load_file(file), file, {**header, "facts": json.dumps(facts)})


# ---- other metrics, another loss


def test_metrics_and_loss_may_be_set_later(make_small_learner, tmp_path):
    learn = make_small_learner()
    learn.metrics = error_rate
    assert len(learn.validate()) == 2
    learn.fit(1)
    assert learn.recorder.names[3:] == ["error_rate"]
    learn.metrics.append(accuracy)
    learn.loss_func = CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))
    learn.fit(1)
    assert learn.recorder.names[3:] == ["error_rate", "accuracy"]
    assert learn.final_record[1:] == learn.validate() == learn.recorder.values[-1][2:]
    assert learn.final_record[2] == pytest.approx(1 - learn.final_record[3])
    described = load_learner(learn.export(tmp_path / "export")).description["metrics"]
    assert set(described) == {"valid_loss", "error_rate", "accuracy"}
    learn.loss_func = None
    learn.fit(1)
    assert isinstance(learn.loss_func, CrossEntropyLoss)


def two_numbers(logits, targets):
    return torch.stack([targets.float().mean(), logits.mean()])


def other_arguments(logits, targets, threshold):
    return threshold


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("error_rate", "without quotes"),
        (["accuracy"], "without quotes"),
        (CrossEntropyLoss, r"CrossEntropyLoss\(\)"),
        ([two_numbers], "two_numbers cannot be computed"),
        ([other_arguments], "threshold"),
    ],
)
def test_a_metric_that_cannot_be_used_is_refused_before_anything_is_trained(make_small_learner, metrics, said):
    learn = make_small_learner()
    before = state_of(learn.model)
    learn.metrics = metrics
    with pytest.raises(TrainingError, match=said):
        learn.fit(1)
    assert moved(before, learn.model) == []


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (nn.CrossEntropyLoss, r"loss_func=CrossEntropyLoss\(\)"),
        ("cross_entropy", "cannot be called"),
        (nn.CrossEntropyLoss(reduction="none"), "with_loss=True"),
        (nn.BCEWithLogitsLoss(), r"one class for each image"),
        (nn.MSELoss(), r"Use CrossEntropyLoss\(\)"),
    ],
)
def test_a_loss_that_cannot_be_used_is_refused(make_small_learner, loss, said):
    with pytest.raises(TrainingError, match=said):
        make_small_learner(loss_func=loss)
    learn = make_small_learner()
    learn.loss_func = loss
    with pytest.raises(TrainingError, match=said):
        learn.fit(1)


# ---- optimisers


def own_adamw(groups):
    return torch.optim.AdamW([{**group, "betas": (0.8, 0.9)} for group in groups], amsgrad=True)


def sgd_by_hand(groups):
    return torch.optim.SGD([{**group, "nesterov": True} for group in groups], momentum=0.8)


@pytest.mark.filterwarnings("ignore:No learning rate is suggested")
@pytest.mark.parametrize(
    "opt_func", [partial(torch.optim.SGD, momentum=0.9), torch.optim.SGD, timm.optim.Lion, own_adamw, sgd_by_hand]
)
def test_other_optimisers_do_all_that_adamw_does(make_small_learner, opt_func, tmp_path):
    learn = make_small_learner(opt_func=opt_func)
    kind = type(opt_func([{"params": [nn.Parameter(torch.ones(1))], "lr": 0.1}]))
    learn.lr_find(num_it=20, show_plot=False)
    learn.freeze()
    before = state_of(learn.model)
    learn.fit_one_cycle(1, 1e-3)
    assert moved(before, learn.model, "body.") == [] and type(learn.opt) is kind
    opt, other = learn.opt, make_small_learner(opt_func=opt_func)
    learn.unfreeze()
    other.load(learn.save(tmp_path / "a.safetensors"))
    for one in (learn, other):
        one.unfreeze()
        one.fit(1, [1e-5, 1e-4, 1e-3])
    assert learn.opt is opt and moved(state_of(learn.model), other.model) == []
    rates = {group["layer_group"]: group["lr"] for group in learn.opt.param_groups}
    assert rates == {0: 1e-5, 1: 1e-4, 2: 1e-3}
    if opt_func is own_adamw:
        assert {g["betas"] for g in opt.param_groups} == {(0.8, 0.9)}  # not the schedule's last, nor the defaults
    if opt_func is sgd_by_hand:
        assert {(g["momentum"], g["nesterov"]) for g in opt.param_groups} == {(0.8, True)}
    learn.opt_func = torch.optim.AdamW
    learn.fit(1)
    assert type(learn.opt) is torch.optim.AdamW


def test_an_optimiser_that_cannot_be_used_is_refused(make_small_learner):
    model = nn.Linear(1, 1)
    for opt_func, said in (
        (torch.optim.SGD(model.parameters()), "a function that makes an optimiser"),
        (partial(torch.optim.SGD, weight_decay=5e-4), "wd="),
        (partial(torch.optim.SGD, lr=0.1), "lr="),
    ):
        with pytest.raises(TrainingError, match=said):
            make_small_learner(opt_func=opt_func)
    learn = make_small_learner(opt_func=lambda groups: torch.optim.SGD(model.parameters()))
    with pytest.raises(TrainingError, match="all of them"):
        learn.fit(1)
    learn = make_small_learner()
    learn.opt = torch.optim.SGD(learn.model.parameters())
    with pytest.raises(TrainingError, match="opt_func"):
        learn.fit(1)


def test_what_a_schedule_set_is_over_when_the_next_run_begins(toy_learner):
    toy_learner.fit(1, cbs=ParamScheduler({"momentum": lambda progress: 0.5}))
    seen = []
    toy_learner.fit(1, cbs=At("before_step", lambda learn: seen.append(learn.opt.param_groups[0]["betas"][0])))
    assert seen == [0.9]


# ---- numbers of any library


@pytest.mark.parametrize("number", [np.float32, np.float64, torch.tensor])
def test_rates_and_epochs_of_numpy_and_torch_are_numbers(make_toy_learner, number, tmp_path):
    learn, plain = make_toy_learner(), make_toy_learner()
    whole = torch.tensor if number is torch.tensor else np.int64
    learn.fit_one_cycle(whole(2), number(0.5), wd=number(0.25), resume=tmp_path / "run.safetensors")
    plain.fit_one_cycle(2, 0.5, wd=0.25)
    assert moved(state_of(plain.model), learn.model) == []
    learn.fine_tune(whole(1), number(0.5))
    for wrong in (1.5, np.float64(1), torch.tensor(1.0), True, 0, "1"):
        with pytest.raises(TrainingError, match="epochs cannot be trained"):
            learn.fit(wrong)


def test_what_lr_find_returns_is_a_rate(make_toy_learner):
    from collections import namedtuple

    suggested = namedtuple("Suggestions", ["valley"])(0.01)
    learn, plain = make_toy_learner(), make_toy_learner()
    learn.fine_tune(1, suggested)
    plain.fine_tune(1, 0.01)
    assert moved(state_of(plain.model), learn.model) == []
    learn.fit(1, suggested), learn.fit_flat_cos(1, suggested)
    two = namedtuple("Suggestions", ["minimum", "valley"])(0.1, 0.01)
    for train in (learn.fit, learn.fine_tune, learn.fit_one_cycle):
        with pytest.raises(TrainingError, match=r"\.minimum, \.valley"):
            train(1, two)
        with pytest.raises(TrainingError, match="NaN"):
            train(1, namedtuple("Suggestions", ["valley"])(float("nan")))


# ---- callbacks


def test_callbacks_come_and_go(toy_learner, tmp_path):
    log = CSVLog(tmp_path / "a.csv")
    assert toy_learner.add_cb(log) is toy_learner
    toy_learner.add_cbs([CSVLog(tmp_path / "b.csv"), recorder := Recorder()])
    assert toy_learner.recorder is recorder and sum(isinstance(cb, Recorder) for cb in toy_learner.cbs) == 1
    toy_learner.remove_cb(log).remove_cb(ProgressTable)
    toy_learner.fit(1)
    assert recorder.values and not (tmp_path / "a.csv").exists() and (tmp_path / "b.csv").exists()
    for wrong in (log, ProgressTable, Recorder):
        with pytest.raises(TrainingError, match="cannot be removed"):
            toy_learner.remove_cb(wrong)


def test_a_callback_without_its_brackets_is_refused_everywhere(make_small_learner):
    with pytest.raises(TrainingError, match=r"CSVLog is a class"):
        make_small_learner(cbs=CSVLog)
    learn = make_small_learner()
    for use in (learn.add_cb, lambda cb: learn.fit(1, cbs=[cb]), lambda cb: learn.lr_find(cbs=cb)):
        with pytest.raises(TrainingError, match=r"CSVLog is a class"):
            use(CSVLog)
        with pytest.raises(TrainingError, match="no callback"):
            use(print)


def test_tables_are_silent_inside_no_logging(toy_learner, capsys, monkeypatch):
    with toy_learner.no_logging():
        toy_learner.fit(1)
    assert capsys.readouterr().out == "" and toy_learner.final_record
    toy_learner.fit(1)
    assert "train_loss" in capsys.readouterr().out
    monkeypatch.setenv("COURSEKIT_QUIET", "1")
    copy.copy(toy_learner).fit(1)
    assert capsys.readouterr().out == ""


def test_there_is_no_final_record_before_a_run(toy_learner):
    with pytest.raises(TrainingError, match=r"learn\.fit"):
        _ = toy_learner.final_record


# ---- names of arguments, and outputs for classes


@pytest.mark.parametrize(
    ("method", "wrong", "right"),
    [
        ("fit", "lr_max", "lr"),
        ("fit", "epochs", "n_epoch"),
        ("fit_one_cycle", "max_lr", "lr_max"),
        ("fit_one_cycle", "lr", "lr_max"),
        ("fit_flat_cos", "lr_max", "lr"),
        ("fine_tune", "lr", "base_lr"),
        ("fine_tune", "base_Lr", "base_lr"),
        ("lr_find", "num_iter", "num_it"),
    ],
)
def test_an_argument_that_is_called_otherwise_here_is_named(toy_learner, method, wrong, right):
    with pytest.raises(ArgumentError, match=rf"{method} has no argument '{wrong}'(.|\n)*did you mean {right}\?"):
        getattr(toy_learner, method)(**{wrong: 1})


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        *(("loss", "loss_func"), ("optimizer", "opt_func"), ("metric", "metrics"), ("callbacks", "cbs")),
        *(("learning_rate", "lr"), ("criterion", "loss_func"), ("normalize", "model normalises")),
    ],
)
def test_settings_of_a_learner_that_are_called_otherwise_are_named(make_small_learner, wrong, right):
    learn = make_small_learner()
    for make in (make_small_learner, partial(Learner, learn.dls, learn.model)):
        with pytest.raises(ArgumentError, match=rf"earner has no argument '{wrong}'(.|\n)*{right}"):
            make(**{wrong: None})


def test_what_is_no_data_is_named(image_loaders):
    for wrong in ("photos", "resnet18"):
        with pytest.raises(TrainingError, match="needs DataLoaders; this is str"):
            vision_learner(wrong, image_loaders())


def test_more_outputs_than_classes_have_no_label(make_small_learner):
    learn = make_small_learner()
    unwrap(learn.model).head = create_head(unwrap(learn.model).head.norm1.num_features, 5)
    images = learn.dls.valid.items
    for use in (partial(learn.predict, images[0]), learn.show_results, partial(plot_grad_cam, learn, images[:2])):
        with pytest.raises(TrainingError, match="5 outputs for 2 classes"):
            use()


def test_features_are_kept_without_a_validation_set_too(make_small_learner, image_loaders):
    block = DataBlock(get_y=parent_label, splitter=lambda items: (range(len(items)), []), item_tfms=Resize(32))
    learn = make_small_learner(block.dataloaders(image_loaders().train.items[0].parent.parent, bs=8, device="cpu"))
    learn.freeze_to(np.int64(-1))
    learn.fit(1, cache_features=True)
    assert learn.recorder.values[0][2] is None


# ---- what a run leaves behind


def test_an_export_holds_the_results_of_its_own_weights_not_of_the_last_epoch(make_small_learner, tmp_path):
    class Spoil(Callback):
        def after_train(self, learn):
            if learn.epoch == 1:
                with torch.no_grad():
                    learn.model.head.linear2.weight.mul_(-100)

    learn, best = make_small_learner(), SaveBest(tmp_path / "best")
    learn.fit(2, 1e-3, cbs=[best, Spoil()])
    first, last = (row[2] for row in learn.recorder.values)
    assert first < last
    described = load_learner(learn.export(tmp_path / "export")).description["metrics"]
    assert described["valid_loss"] == best.best == first == learn.validate()[0]


def test_a_run_keeps_nothing_of_what_backward_needed(make_toy_learner):
    learn = make_toy_learner()
    learn.fit(1)
    assert not learn.loss.requires_grad and not learn.logits.requires_grad
    again = copy.deepcopy(learn)  # refused by torch where a graph hangs on to a tensor
    again.fit(1)


def test_a_model_that_ends_in_a_softmax_is_told_so_once(make_toy_learner):
    learn = make_toy_learner()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn.fit(1)
    learn.model.append(nn.Softmax(dim=1))
    with pytest.warns(UserWarning, match="second softmax") as told:
        learn.fit(2)
    assert sum("second softmax" in str(warning.message) for warning in told) == 1


def test_no_run_turns_the_weights_into_lists(make_small_learner, monkeypatch):
    learn, tolist, sizes = make_small_learner(), torch.Tensor.tolist, []
    monkeypatch.setattr(torch.Tensor, "tolist", lambda tensor: sizes.append(tensor.numel()) or tolist(tensor))
    learn.fine_tune(1)  # which sets schedules up for two runs
    learn.fit_flat_cos(1)
    assert sizes and sum(sizes) < sum(p.numel() for p in learn.model.parameters()) / 4


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda logits, targets: nn.functional.cross_entropy(logits, targets, reduction="none"), "of shape"),
        (lambda logits, targets: 1.0, "a float"),
        (nn.NLLLoss(), "log-probabilities"),
    ],
)
def test_a_loss_that_turns_out_useless_at_the_first_batch_changes_no_weight(make_small_learner, loss, said):
    learn = make_small_learner(loss_func=loss)
    before = state_of(learn.model)
    with pytest.raises(TrainingError, match=said):
        learn.fit(1)
    assert not [name for name in moved(before, learn.model) if "running" not in name and "tracked" not in name]


def test_nll_loss_on_log_probabilities_trains(make_small_learner):
    learn = make_small_learner(loss_func=nn.NLLLoss())
    learn.model.head.add_module("log_softmax", nn.LogSoftmax(dim=1))
    learn.fit(1)
    assert learn.final_record[0] > 0


def test_data_that_validate_on_what_was_trained_on_are_warned_of(make_small_learner, image_loaders):
    def split(seed):
        recipe = copy.copy(image_loaders().block)
        recipe.splitter = StratifiedSplitter(0.25, seed=seed)
        return recipe.dataloaders(folder, bs=8, cache=False)

    folder = Path(image_loaders().train.sources[0]).parents[1]
    first, same, other = split(0), split(0), split(1)
    learn = make_small_learner(first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn.dls = other  # nothing is trained yet
        learn.dls = first
        learn.fit(1)
        learn.dls = same
    shared = len(set(first.train.sources) & set(other.valid.sources))
    with pytest.warns(UserWarning, match=f"{shared} of {other.valid.n} validation images were trained on"):
        learn.dls = other


# ---- devices ("meta" is one whose tensors have shapes and no numbers)


def test_data_that_go_to_another_device_are_refused(make_small_learner, image_loaders):
    learn = make_small_learner()
    with pytest.raises(TrainingError, match=r"They go to meta, the model is on cpu(.|\n)*device="):
        learn.dls = image_loaders(device="meta")


def test_a_model_that_comes_from_another_device_is_moved_to_that_of_the_learner(make_small_learner, image_loaders):
    learn = make_small_learner(image_loaders(device="meta"))
    assert {p.device.type for p in learn.model.parameters()} == {"meta"}
    learn.model = make_small_learner().model
    learn._settle()
    assert {t.device.type for t in (*learn.model.parameters(), *learn.model.buffers())} == {"meta"}
