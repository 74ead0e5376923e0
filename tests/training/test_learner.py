"""The training loop: what moves, what does not, what is remembered, and that a run is a function of its seed."""

import copy
import math

import pytest
import torch
from sklearn.metrics import f1_score
from torch import nn

from coursekit.augment.colour import Normalize
from coursekit.core import ModelError, TrainingError
from coursekit.export.folder import load_learner
from coursekit.losses import CrossEntropyLoss
from coursekit.metrics import accuracy, error_rate
from coursekit.models.inference import predict_logits
from coursekit.training.callbacks import Callback
from coursekit.training.learner import Learner, vision_learner
from coursekit.training.lr_finder import minimum, steep
from coursekit.training.schedule import one_cycle, one_cycle_momentum


def state_of(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def moved(before, model, prefix=""):
    """Names of the tensors that are not what they were."""
    return [n for n, t in model.state_dict().items() if n.startswith(prefix) and not torch.equal(t, before[n])]


class Rates(Callback):
    """Writes down every group's rate, momentum and decay at each training batch."""

    order = 99

    def before_fit(self, learn):
        self.rates, self.momenta, self.decays = [], [], []

    def before_batch(self, learn):
        if learn.training:
            by_group = {g["layer_group"]: g["lr"] for g in learn.opt.param_groups}
            self.rates.append([by_group[i] for i in sorted(by_group)])
            self.momenta.append(learn.opt.param_groups[0]["betas"][0])
            self.decays.append({g["weight_decay"] for g in learn.opt.param_groups})


# ---- training


def test_training_lowers_loss_and_error(toy_learner):
    before = toy_learner.validate()
    toy_learner.fit(5, 1e-2)
    after = toy_learner.validate()
    assert after[0] < before[0] / 2 and after[1] == 0


def test_a_run_is_a_function_of_its_seed(make_toy_learner):
    first, second, other = make_toy_learner(seed=1), make_toy_learner(seed=1), make_toy_learner(seed=2)
    torch.manual_seed(123)
    first.fit(2)
    torch.manual_seed(456)
    second.fit(2)
    other.fit(2)
    assert moved(state_of(first.model), second.model) == []
    assert moved(state_of(first.model), other.model) != []


def test_the_global_random_state_is_left_alone(toy_learner):
    before = torch.get_rng_state()
    toy_learner.fit(1)
    toy_learner.lr_find(num_it=20)
    assert torch.equal(before, torch.get_rng_state())


def test_two_fits_see_different_epochs_of_the_data(toy_learner):
    class FirstBatch(Callback):
        def before_batch(self, learn):
            if learn.training and learn.batch == 0:
                firsts.append(learn.xb.clone())

    firsts = []
    toy_learner.fit(1, cbs=[FirstBatch()])
    toy_learner.fit(1, cbs=[FirstBatch()])
    assert not torch.equal(firsts[0], firsts[1])


def test_weight_decay_spares_biases_and_norms(toy_learner):
    rates = Rates()
    toy_learner.fit(1, wd=0.3, cbs=[rates])
    assert rates.decays[0] == {0.0, 0.3}
    spared = [g["params"] for g in toy_learner.opt.param_groups if g["weight_decay"] == 0]
    assert all(p.ndim == 1 for params in spared for p in params)


def macro_f1(logits, targets):
    return torch.tensor(f1_score(targets, logits.argmax(dim=1), average="macro"))


def test_table_validation_and_a_second_look_agree_where_the_mean_over_batches_is_another_number(
    make_small_learner, image_loaders
):
    weights = torch.tensor([1.0, 0.0])  # whole batches of weight 0: their mean would be NaN
    dls = image_loaders(val_bs=2)
    learn = make_small_learner(dls, metrics=macro_f1, loss_func=CrossEntropyLoss(weight=weights))
    learn.fit(2, 1e-4)
    logits, targets = predict_logits(learn.model, dls.valid)
    expected = [learn.loss_func(logits, targets).item(), macro_f1(logits, targets).item()]
    assert learn.validate() == learn.final_record[1:] == learn.recorder.values[-1][2:] == expected
    assert all(math.isfinite(value) for value in expected)
    means = [macro_f1(learn.model(x), y) for x, y in dls.valid]
    assert sum(means) / len(means) != expected[1]


# ---- rates


def test_fit_one_cycle_follows_the_policy_batch_by_batch(toy_learner):
    rates = Rates()
    toy_learner.fit_one_cycle(2, 1e-2, cbs=[rates])
    n = 2 * len(toy_learner.dls.train)
    assert [r[-1] for r in rates.rates] == pytest.approx([one_cycle(1e-2)(i / n) for i in range(n)])
    assert rates.momenta == pytest.approx([one_cycle_momentum()(i / n) for i in range(n)])


def test_a_slice_spreads_rates_over_the_layer_groups(make_lite0_learner, golden):
    learn, rates = make_lite0_learner(), Rates()
    learn.fit(1, slice(1e-6, 1e-4), cbs=[rates])
    assert rates.rates[0] == pytest.approx(golden["discriminative"]["slice(1e-6,1e-4) over 3 groups"])
    learn.fit(1, slice(1e-4), cbs=[rates])
    assert rates.rates[0] == pytest.approx(golden["discriminative"]["slice(1e-4) over 3 groups"])


def test_fine_tune_runs_both_golden_phases(make_lite0_learner, golden):
    numbers = golden["fine_tune"]
    learn, phases = make_lite0_learner(), []

    class Phase(Rates):
        def after_fit(self, learn):
            phases.append((self.rates, [p.requires_grad for p in learn.model.body.parameters()]))

    learn.fine_tune(2, numbers["base_lr"], lr_mult=numbers["lr_mult"], cbs=[Phase()])
    (frozen, body_trained_1), (unfrozen, body_trained_2) = phases
    for rates, key, phase in (
        (frozen, "group_lrs_frozen", "frozen_phase"),
        (unfrozen, "group_lrs_unfrozen", "unfrozen_phase"),
    ):
        start = numbers[phase]["lr_fraction_of_max"][0]
        assert rates[0] == pytest.approx([lr * start for lr in numbers[key]])
    assert len(unfrozen) == 2 * len(learn.dls.train)
    assert not any(body_trained_1) and all(body_trained_2)


# ---- frozen means frozen


def test_a_frozen_body_does_not_move_at_all(make_lite0_learner):
    learn = make_lite0_learner()
    before = state_of(learn.model)
    learn.fit(1, 1e-2)
    assert moved(before, learn.model, "body.") == []  # BatchNorm statistics included
    assert moved(before, learn.model, "head.") != []


def test_everything_moves_after_unfreeze(make_lite0_learner):
    learn = make_lite0_learner()
    learn.unfreeze()
    before = state_of(learn.model)
    learn.fit(1, 1e-2)
    weights = [n for n, _ in learn.model.named_parameters()]
    assert set(weights) <= set(moved(before, learn.model))


def test_cached_features_train_the_head_that_uncached_training_gives(make_lite0_learner, precision):
    plain, cached = make_lite0_learner(augment=False), make_lite0_learner(augment=False)
    for learn in (plain, cached):
        learn.engine.set_precision(precision)
        learn.fit(2, 1e-3, cache_features=learn is cached)
    if precision == "fp32":
        assert cached.recorder.losses == pytest.approx(plain.recorder.losses, abs=1e-3)
        assert cached.validate() == pytest.approx(plain.validate(), abs=1e-3)
    else:  # bfloat16 rounds the features of a step, and not those that are kept: alike on the whole, not batch by batch
        assert cached.recorder.losses.mean() == pytest.approx(plain.recorder.losses.mean(), abs=0.15)
        assert cached.validate()[0] == pytest.approx(plain.validate()[0], abs=0.15)


def test_features_are_computed_once_while_the_body_stays_frozen(make_lite0_learner):
    learn, calls = make_lite0_learner(), []
    hook = learn.model.body.register_forward_hook(lambda *args: calls.append(1))
    learn.lr_find(num_it=40, cache_features=True)
    learn.freeze()
    learn.fit(3, cache_features=True)
    hook.remove()
    assert len(calls) == len(learn.dls.train_eval) + len(learn.dls.valid)


def test_an_infinite_loss_names_the_photos_of_its_batch(make_lite0_learner):
    for cache_features in (False, True):
        learn = make_lite0_learner()
        learn.loss_func = lambda logits, targets: logits.sum() * math.inf
        with pytest.raises(TrainingError, match=r"Its images: .*(dark|light)_\d\d\.png.* and 4 more") as error:
            learn.fit(1, cache_features=cache_features)
        names = ["/".join(source.parts[-2:]) for source in learn.dls.train.sources]
        assert sum(name in str(error.value) for name in names) == 4


def test_features_of_other_data_are_not_taken_for_those_of_the_new(make_lite0_learner, image_loaders):
    learn, calls = make_lite0_learner(), []
    learn.fit(1, cache_features=True)
    learn.dls = image_loaders(augment=False)
    hook = learn.model.body.register_forward_hook(lambda *args: calls.append(1))
    learn.fit(1, cache_features=True)
    hook.remove()
    assert len(calls) == len(learn.dls.train_eval) + len(learn.dls.valid)


def test_cached_features_are_refused_while_the_body_trains(make_lite0_learner):
    learn = make_lite0_learner()
    learn.unfreeze()
    with pytest.raises(TrainingError, match=r"learn\.freeze\(\)"):
        learn.fit(1, cache_features=True)


def test_cached_features_are_refused_for_a_model_without_a_body(toy_learner):
    with pytest.raises(TrainingError, match="vision_learner"):
        toy_learner.fit(1, cache_features=True)


@pytest.mark.parametrize(("train_bn", "moves"), [(None, [False, True]), (True, [True, True]), (False, [False, False])])
def test_train_bn_says_which_statistics_move(make_lite0_learner, train_bn, moves):
    learn = make_lite0_learner()
    learn.train_bn = train_bn
    for prepare, expected in zip((learn.freeze, learn.unfreeze), moves, strict=True):
        prepare()
        before = state_of(learn.model)
        learn.fit(1)
        assert any("running_mean" in n for n in moved(before, learn.model, "body.")) == expected


@pytest.mark.parametrize("arch", ["resnet18", "mobilenetv3_small_050", "regnety_002", "test_convnext"])
def test_a_pretrained_body_keeps_its_statistics_in_both_phases_of_fine_tuning(image_loaders, tmp_path, arch):
    dls = image_loaders()
    weights = vision_learner(dls, arch, pretrained=False).save(tmp_path / "own", with_opt=False)
    learn = vision_learner(dls, arch, weights=weights, precision="fp32")
    before = state_of(learn.model)
    learn.fine_tune(1)
    changed = moved(before, learn.model, "body.")
    assert any(name.endswith("weight") for name in changed)
    assert not any("running" in name or "tracked" in name for name in changed)


def test_random_weights_get_statistics_that_move_unless_something_else_is_asked_for(image_loaders):
    dls = image_loaders()
    for settings, moves in (({}, True), ({"train_bn": False}, False), ({"train_bn": True}, True)):
        learn = vision_learner(dls, "test_resnet", pretrained=False, **settings)
        before = state_of(learn.model)
        learn.fit(1)
        assert any("running" in name for name in moved(before, learn.model, "body.")) == moves


def test_flat_cos_is_flat_and_then_falls(toy_learner):
    rates = Rates()
    toy_learner.fit_flat_cos(4, 1e-2, cbs=[rates])
    lrs = [rate[0] for rate in rates.rates]
    flat = math.ceil(0.75 * len(lrs))
    assert set(lrs[:flat]) == {1e-2} and lrs[-1] < 2e-3 and lrs[flat:] == sorted(lrs[flat:], reverse=True)


# ---- the learning-rate finder


def test_lr_find_leaves_no_trace(make_toy_learner):
    learn, untouched = make_toy_learner(), make_toy_learner()
    learn.fit(1), untouched.fit(1)
    optimiser_state = copy.deepcopy(learn.opt.state_dict())
    lr_min, lr_steep = learn.lr_find(suggest_funcs=(minimum, steep), num_it=30)
    assert lr_min > 0 and lr_steep > 0
    for key, state in learn.opt.state_dict()["state"].items():
        assert all(torch.equal(state[k], optimiser_state["state"][key][k]) for k in state)
    learn.fit(1), untouched.fit(1)
    assert moved(state_of(untouched.model), learn.model) == []


def test_an_interrupted_lr_find_leaves_no_trace_either(toy_learner):
    before = state_of(toy_learner.model)
    calls = []

    def interrupt(logits, targets):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(logits, targets)

    toy_learner.loss_func = interrupt
    with pytest.raises(KeyboardInterrupt):
        toy_learner.lr_find()
    assert moved(before, toy_learner.model) == []


def test_plot_lr_find_shows_the_suggestions_and_needs_a_sweep(toy_learner):
    with pytest.raises(TrainingError, match="lr_find"):
        toy_learner.recorder.plot_lr_find()
    found = toy_learner.lr_find(num_it=30, suggest_funcs=(minimum, steep))
    legend = toy_learner.recorder.plot_lr_find().axes[0].get_legend()
    shown = " ".join(text.get_text() for text in legend.get_texts())
    for name, rate in found._asdict().items():
        assert f"{name}: {'none' if math.isnan(rate) else f'{rate:.1e}'}" in shown


# ---- predictions and export


def test_predict_gives_the_row_of_get_preds(make_lite0_learner):
    learn = make_lite0_learner()
    probs, targets = learn.get_preds()
    assert targets.tolist() == list(learn.dls.valid.targets)
    for i in (0, len(targets) - 1):
        label, index, row = learn.predict(learn.dls.valid.items[i])
        assert torch.allclose(row, probs[i], atol=1e-5)
        assert label == learn.dls.vocab[index] and index == row.argmax()


def test_predictions_for_the_training_set_are_in_order_and_never_augmented(make_lite0_learner):
    learn = make_lite0_learner()
    (first, targets), (second, _) = learn.get_preds(ds_idx=0), learn.get_preds(ds_idx=0)
    assert torch.equal(first, second)
    assert targets.tolist() == list(learn.dls.train.targets)


def test_the_export_predicts_exactly_what_the_learner_predicts(make_lite0_learner, tmp_path):
    learn = make_lite0_learner()
    learn.fit(1, 1e-2)
    predictor = load_learner(learn.export(tmp_path / "export"))
    assert list(predictor.vocab) == list(learn.dls.vocab)
    for item in learn.dls.valid.items[:3]:
        ours, theirs = learn.predict(item), predictor.predict(item)
        assert ours[:2] == theirs[:2]
        assert torch.equal(ours[2], theirs[2])


class Sigmoids(nn.BCEWithLogitsLoss):
    """A loss that reads its logits in another way."""

    activation = staticmethod(torch.sigmoid)


def test_a_loss_that_does_not_say_how_to_read_its_logits_gets_the_softmax(make_lite0_learner, tmp_path):
    learn = make_lite0_learner(loss_func=nn.CrossEntropyLoss())
    probs, _ = learn.get_preds()
    assert torch.allclose(probs.sum(1), torch.ones(len(probs)))
    photo = learn.dls.valid.sources[0]
    assert torch.equal(load_learner(learn.export(tmp_path / "export")).predict(photo)[2], learn.predict(photo)[2])


def test_a_model_whose_logits_are_read_in_another_way_is_not_exported(make_lite0_learner, tmp_path):
    learn = make_lite0_learner(loss_func=Sigmoids())
    with pytest.raises(TrainingError, match="softmax"):
        learn.export(tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_a_list_of_images_is_predicted_one_by_one(make_lite0_learner):
    learn = make_lite0_learner()
    photos = learn.dls.valid.sources[:2]
    (first, _, probs), (second, _, _) = learn.predict(list(photos))
    assert torch.equal(probs, learn.predict(photos[0])[2])
    assert [first, second] == [learn.predict(photo)[0] for photo in photos]


def test_no_batches_give_no_predictions_of_other_images(make_lite0_learner):
    with pytest.raises(ModelError, match="nothing to predict"):
        make_lite0_learner().get_preds(dl=[])


def test_the_licence_of_the_data_goes_into_the_export(make_lite0_learner, tmp_path):
    folder = make_lite0_learner().export(tmp_path / "export", data_licence="CC BY-NC-SA 4.0")
    assert load_learner(folder).description["data_licence"] == "CC BY-NC-SA 4.0"


def test_tta_mixes_the_plain_prediction_with_augmented_ones(make_lite0_learner):
    learn = make_lite0_learner()
    plain, targets = learn.get_preds()
    mixed, same_targets = learn.tta(n=2, beta=0.25)
    assert torch.equal(targets, same_targets) and not torch.equal(plain, mixed)
    assert torch.allclose(mixed.sum(1), torch.ones(len(mixed)), atol=1e-5)
    assert torch.equal(learn.tta(n=2, beta=0.25)[0], mixed)  # seeded
    assert torch.allclose(learn.tta(n=2, beta=1.0)[0], plain) and torch.allclose(learn.tta(n=0)[0], plain)


def test_tta_of_images_that_are_not_augmented_is_the_plain_prediction(make_lite0_learner):
    learn = make_lite0_learner(augment=False)
    assert torch.allclose(learn.tta()[0], learn.get_preds()[0], atol=1e-5)


def test_results_show_label_and_prediction_and_name_what_is_wrong(make_lite0_learner):
    learn = make_lite0_learner()
    figure = learn.show_results(max_n=4)
    probs, targets = learn.get_preds()
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 4
    for title, p, target in zip(titles, probs, targets, strict=False):
        label, said = title.split("\n")
        assert label == learn.dls.vocab[target]
        assert said.startswith("WRONG: ") == (p.argmax() != target) and learn.dls.vocab[p.argmax()] in said


def test_summary_lists_what_trains(make_lite0_learner):
    learn = make_lite0_learner()
    frozen = learn.summary()
    learn.unfreeze()
    assert frozen.trains.iloc[-1] == sum(p.numel() for p in learn.model.head.parameters())
    assert learn.summary().trains.iloc[-1] == sum(p.numel() for p in learn.model.parameters())
    assert frozen.group.dropna().unique().tolist() == [0, 1, 2]


def test_images_are_normalised_once_also_when_batch_tfms_normalise_them(make_lite0_learner, tmp_path):
    by_model = make_lite0_learner()
    by_data = make_lite0_learner(extra_tfms=(Normalize.from_stats((0.5,) * 3, (0.5,) * 3),))
    probs = by_data.get_preds()[0]
    assert torch.allclose(probs, by_model.get_preds()[0], atol=1e-5)
    predictor = load_learner(by_data.export(tmp_path / "export"))
    assert torch.allclose(predictor.get_preds(by_data.dls.valid.sources), probs, atol=1e-5)


def test_a_model_of_ones_own_trains_but_says_that_it_cannot_be_exported(toy_learner, tmp_path):
    with pytest.raises(TrainingError, match="vision_learner"):
        toy_learner.export(tmp_path / "export")


# ---- building


def test_an_unknown_architecture_is_refused_with_a_close_match(image_loaders):
    with pytest.raises(ModelError, match="efficientnet_lite0"):
        vision_learner(image_loaders(), "efficentnet_lite0")


def test_without_pretrained_weights_nothing_is_frozen(image_loaders):
    learn = vision_learner(image_loaders(), "resnet18", pretrained=False)
    assert all(p.requires_grad for p in learn.model.parameters())


def test_precision_can_be_chosen_and_chained(make_toy_learner):
    learn = make_toy_learner()
    assert learn.to_bf16() is learn and learn.engine.precision.value == "bf16"
    learn.fit(1)
    assert math.isfinite(learn.recorder.values[-1][1])
    assert learn.to_fp32().engine.precision.value == "fp32"


def test_one_metric_or_a_list_of_them_will_do(image_loaders):
    dls = image_loaders()
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(2))
    model(dls.one_batch()[0])
    assert len(Learner(dls, model, metrics=error_rate).metrics) == 1
    assert len(Learner(dls, model, metrics=[error_rate, accuracy]).metrics) == 2
