"""Layer groups, freezing and group rates: what is frozen does not move, what trains has the right rate."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from coursekit.core import ModelError, TrainingError
from coursekit.data.batches import training_batches
from coursekit.models.model import build_model
from coursekit.training.transfer import (
    FeatureLoader,
    body_features,
    count_parameters,
    freeze_to,
    group_lrs,
    keep_statistics,
    layer_groups,
    param_groups,
    set_train_mode,
    snapshot,
    split_body,
    statistics_moved,
    weights_moved,
)

SMALL = "test_resnet"


@pytest.fixture
def model() -> nn.Module:
    return build_model(SMALL, 3)


def images(n: int = 4) -> torch.Tensor:
    return torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(n))


def train_a_step(model: nn.Module, lr: float = 0.1) -> None:
    set_train_mode(model)
    optimizer = torch.optim.AdamW(param_groups(layer_groups(model), [lr] * 3))
    model(images()).square().sum().backward()
    optimizer.step()


def moved(model: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    """The part (normalize, body, head) and kind (weights, statistics) of every tensor that differs from `before`."""
    parts = set()
    for name, tensor in model.state_dict().items():
        if not torch.equal(tensor, before[name]):
            kind = "statistics" if "running" in name or "tracked" in name else "weights"
            parts.add(f"{name.split('.')[0]} {kind}")
    return parts


# ---- layer groups


def test_the_groups_of_resnet34_have_the_golden_sizes(golden):
    sizes = [count_parameters(group) for group in layer_groups(build_model("resnet34", 37))]
    assert sizes == golden["resnet34_37_classes"]["groups"]


def test_lite0_is_cut_inside_its_container_of_blocks():
    model = build_model("efficientnet_lite0", 2)
    early, late, _ = layer_groups(model)
    assert early == [model.body.conv_stem, model.body.bn1, *model.body.blocks[:3]]
    assert [m for m in late if list(m.parameters())] == [*model.body.blocks[3:], model.body.conv_head, model.body.bn2]


@pytest.mark.parametrize(
    "arch",
    [
        SMALL,
        "efficientnet_lite0",
        "mobilenetv3_small_050",
        "test_vit",
        "test_convnext",
        "test_mambaout",
        "regnety_002",
    ],
)
def test_every_parameter_is_in_exactly_one_group(arch):
    model = build_model(arch, 3)
    groups = layer_groups(model)
    in_groups = [p for group in groups for layer in group for p in layer.parameters()]
    assert len(in_groups) == len(set(in_groups)) == len(list(model.parameters()))
    assert len(groups) == 3 and all(count_parameters(group) > 0 for group in groups)


def test_a_module_of_ones_own_is_one_group():
    module = nn.Linear(2, 2)
    assert layer_groups(module) == [[module]]
    assert split_body(module) == ([], [module])


def test_a_body_whose_stages_cannot_be_found_is_late_as_a_whole():
    body = nn.Sequential(nn.Conv2d(3, 4, 3))
    body.feature_info = [{"module": "block.0", "reduction": 4}]  # as some of timm's transformers have it
    assert split_body(body) == ([], [body])


# ---- rates


def test_group_rates_are_the_golden_ones(golden):
    assert group_lrs(slice(1e-6, 1e-4), 3) == pytest.approx(golden["discriminative"]["slice(1e-6,1e-4) over 3 groups"])
    assert group_lrs(slice(1e-4), 3) == pytest.approx(golden["discriminative"]["slice(1e-4) over 3 groups"])
    tuned = golden["fine_tune"]
    base = tuned["base_lr"]
    assert group_lrs(slice(base), 3) == pytest.approx(tuned["group_lrs_frozen"])
    assert group_lrs(slice(base / 2 / tuned["lr_mult"], base / 2), 3) == pytest.approx(tuned["group_lrs_unfrozen"])


def test_a_number_is_the_rate_of_all_groups_and_one_group_gets_the_last_rate():
    assert group_lrs(3e-3, 3) == [3e-3] * 3
    assert group_lrs(slice(1e-5, 1e-3), 1) == group_lrs(slice(1e-3), 1) == [1e-3]


@pytest.mark.parametrize("make", [list, tuple, np.array, torch.tensor, pd.Series])
def test_a_list_has_one_rate_for_each_layer_group(make):
    rates = group_lrs(make([1e-5, 1e-4, 0.5]), 3)
    assert rates == pytest.approx([1e-5, 1e-4, 0.5]) and {type(rate) for rate in rates} == {float}
    for n in (2, 4):
        with pytest.raises(TrainingError, match=f"3 rates do not go with {n} layer groups"):
            group_lrs(make([1e-5, 1e-4, 0.5]), n)


@pytest.mark.parametrize("number", [float, np.float32, np.float64, torch.tensor, np.array])
def test_numbers_of_other_libraries_are_rates(number):
    for rates in (group_lrs(number(0.5), 2), group_lrs(slice(number(0.5), number(0.5)), 2)):
        assert rates == [0.5, 0.5] and {type(rate) for rate in rates} == {float}
    for wrong in (number(0.0), number(-1.0), number(float("nan")), number(float("inf"))):
        for lr in (wrong, slice(wrong), slice(1e-3, wrong), slice(wrong, 1e-3), [wrong, 1e-3]):
            with pytest.raises(TrainingError, match="no learning rate"):
                group_lrs(lr, 2)


@pytest.mark.parametrize("wrong", ["1e-3", True, None, torch.tensor([]), torch.ones(2, 2), {}])
def test_what_is_no_number_is_no_rate(wrong):
    with pytest.raises(TrainingError, match=r"no learning rate|do not go with|none"):
        group_lrs(wrong, 2)


@pytest.mark.parametrize(
    "lr",
    [
        0,
        -0.001,
        slice(0, 0.001),
        slice(0.001, None),
        slice(None),
        slice(0.001, 0.0),
        float("nan"),
        slice(float("nan"), 0.001),
        slice(0.001, float("nan")),
    ],
)
def test_rates_that_are_not_positive_are_refused(lr):
    with pytest.raises(TrainingError, match="learning rate"):
        group_lrs(lr, 3)


def test_only_matrices_and_filters_decay_and_each_group_has_its_rate(model):
    groups = layer_groups(model)
    result = param_groups(groups, [1.0, 2.0, 3.0], wd=0.25)
    assert {(g["layer_group"], g["lr"]) for g in result} == {(0, 1.0), (1, 2.0), (2, 3.0)}
    for group in result:
        assert group["weight_decay"] == (0.25 if group["params"][0].ndim > 1 else 0.0)
        assert len({p.ndim > 1 for p in group["params"]}) == 1
    spared = {p for g in result if g["weight_decay"] == 0 for p in g["params"]}
    kinds = {
        f"{type(module).__name__}.{name}"
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if parameter in spared
    }
    assert kinds == {f"BatchNorm{d}d.{name}" for d in (1, 2) for name in ("weight", "bias")}


def test_modules_that_are_listed_twice_are_optimised_once(model):
    result = param_groups([list(model.modules())], [1e-3])
    assert sum(len(g["params"]) for g in result) == len(list(model.parameters()))


def test_a_rate_for_every_group_is_needed(model):
    with pytest.raises(ValueError):
        param_groups(layer_groups(model), [1e-3])


# ---- frozen means frozen


def test_a_frozen_body_does_not_move_at_all(model):
    freeze_to(layer_groups(model), -1)
    before = snapshot(model)
    train_a_step(model)
    assert moved(model, before) == {"head weights", "head statistics"}
    assert all(p.grad is None for p in model.body.parameters())


def test_train_bn_brings_back_moving_batch_norms_and_nothing_else(model):
    freeze_to(layer_groups(model), -1, train_bn=True)
    before = snapshot(model)
    train_a_step(model)
    assert "body statistics" in moved(model, before)
    norms = {name for name, module in model.body.named_modules() if "BatchNorm" in type(module).__name__}
    after = model.state_dict()
    changed = {n for n, p in model.body.named_parameters() if not torch.equal(after[f"body.{n}"], before[f"body.{n}"])}
    assert changed and {name.rpartition(".")[0] for name in changed} <= norms


def test_unfrozen_everything_moves(model):
    freeze_to(layer_groups(model), -1)
    freeze_to(layer_groups(model), 0)
    before = snapshot(model)
    train_a_step(model)
    assert moved(model, before) == {"body weights", "body statistics", "head weights", "head statistics"}
    assert all(module.training for module in model.modules())


def test_freeze_to_one_freezes_the_early_body_only(model):
    groups = layer_groups(model)
    freeze_to(groups, 1)
    set_train_mode(model)
    flags = [{p.requires_grad for layer in group for p in layer.parameters()} for group in groups]
    assert flags == [{False}, {True}, {True}]
    modes = [{m.training for layer in group for m in layer.modules() if list(m.parameters())} for group in groups]
    assert modes == [{False}, {True}, {True}]


@pytest.mark.parametrize("n", [4, -4])
def test_freezing_groups_that_are_not_there_is_refused(model, n):
    with pytest.raises(TrainingError, match="3 layer groups"):
        freeze_to(layer_groups(model), n)


def test_dropout_in_a_frozen_part_is_off_and_in_the_head_is_on():
    frozen = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).requires_grad_(False)
    head = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(), nn.Linear(2, 2))
    model = nn.Sequential(frozen, head)
    set_train_mode(model)
    assert not frozen[1].training and head[0].training and head[1].training


def test_a_loose_parameter_is_frozen_with_the_early_body():
    model = build_model("test_vit", 3)
    freeze_to(layer_groups(model), 1)
    assert not model.body.pos_embed.requires_grad and model.body.norm.weight.requires_grad


def test_kept_statistics_stay_while_the_weights_of_their_layers_train(model):
    freeze_to(layer_groups(model), 0)
    before = snapshot(model)
    set_train_mode(model)
    keep_statistics([model.body])
    optimizer = torch.optim.AdamW(param_groups(layer_groups(model), [0.1] * 3))
    model(images()).square().sum().backward()
    optimizer.step()
    assert moved(model, before) == {"body weights", "head weights", "head statistics"}
    assert not torch.equal(model.body.bn1.weight, before["body.bn1.weight"])


# ---- what moved


def test_nothing_has_moved_since_a_snapshot_that_was_just_taken(model):
    before = snapshot(model)
    assert weights_moved(model, before) == [0.0] * 3
    assert [tuple(drift) for drift in statistics_moved(model, before)] == [(0.0, 1.0)] * 3


def test_a_snapshot_is_a_copy(model):
    before = snapshot(model)
    with torch.no_grad():
        model.head.linear1.weight.mul_(3)
    assert not torch.equal(before["head.linear1.weight"], model.head.linear1.weight)


def test_weights_moved_is_the_share_of_the_length_by_group(model):
    before = snapshot(model)
    with torch.no_grad():
        for group, share in zip(layer_groups(model), (0.0, 0.5, 2.0), strict=True):
            for layer in group:
                for p in layer.parameters():
                    p.mul_(1 + share)
    assert weights_moved(model, before) == pytest.approx([0.0, 0.5, 2.0], rel=1e-4)


def test_statistics_moved_counts_shifts_in_standard_deviations_and_factors_of_variances_both_ways(model):
    before = snapshot(model)
    early, late, _ = layer_groups(model)
    norms = [m for m in nn.ModuleList([*early, *late]).modules() if isinstance(m, nn.BatchNorm2d)]
    for i, norm in enumerate(norms):
        deviation = (norm.running_var + norm.eps).sqrt()
        norm.running_mean += 0.25 * deviation * (-1) ** i
        norm.running_var = (norm.running_var + norm.eps) * (4.0 if i % 2 else 0.25) - norm.eps
    drifts = statistics_moved(model, before)
    assert [drift.shift for drift in drifts] == pytest.approx([0.25, 0.25, 0.0], rel=1e-4)
    assert [drift.stretch for drift in drifts] == pytest.approx([4.0, 4.0, 1.0], rel=1e-4)


def test_the_first_step_of_adam_moves_every_weight_by_the_rate_of_its_group(model):
    freeze_to(layer_groups(model), 0)
    before = snapshot(model)
    set_train_mode(model)
    rates = [1e-5, 1e-4, 1e-3]
    optimizer = torch.optim.AdamW(param_groups(layer_groups(model), rates, wd=0.0), eps=1e-12)
    model(images()).square().sum().backward()
    optimizer.step()
    names = {p: name for name, p in model.named_parameters()}
    for group, rate in zip(layer_groups(model), rates, strict=True):
        steps = torch.cat(
            [(p.detach() - before[names[p]])[p.grad != 0].abs() for layer in group for p in layer.parameters()]
        )
        assert steps.median().item() == pytest.approx(rate, rel=0.01)


# ---- features to keep


def test_kept_features_give_the_logits_of_the_model_and_modes_are_put_back(model):
    freeze_to(layer_groups(model), -1)
    set_train_mode(model)
    modes = [module.training for module in model.modules()]
    features, targets = body_features(model, [(images(4), torch.zeros(4)), (images(3), torch.ones(3))])
    assert [module.training for module in model.modules()] == modes
    assert features.dtype == torch.float32 and targets.tolist() == [0] * 4 + [1] * 3
    model.eval()
    torch.testing.assert_close(model.classify(features)[4:], model(images(3)))


def test_a_head_can_be_trained_on_kept_features(model):
    features, _ = body_features(model, [(images(4), torch.zeros(4))])
    model.classify(features).sum().backward()
    assert model.head.linear1.weight.grad is not None


def test_no_batches_no_features(model):
    with pytest.raises(ModelError, match="nothing to predict"):
        body_features(model, [])


def test_modes_are_put_back_when_the_data_fails(model):
    def failing():
        yield images(2), torch.zeros(2)
        raise OSError("the disk is gone")

    model.train()
    with pytest.raises(OSError):
        body_features(model, failing())
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize(("n", "bs", "seed", "sizes"), [(7, 3, 1, [3, 3]), (7, 3, None, [3, 3, 1]), (1, 3, 1, [1])])
def test_a_feature_loader_leaves_out_only_a_last_training_batch_of_one(n, bs, seed, sizes):
    loader = FeatureLoader(torch.arange(n)[:, None].float(), torch.arange(n), bs, seed)
    assert [len(x) for x, _ in loader] == sizes and len(loader) == len(sizes)


def test_the_order_of_a_feature_loader_depends_on_seed_and_epoch_only():
    def order(seed: int | None, epoch: int) -> list[int]:
        loader = FeatureLoader(torch.arange(20)[:, None].float(), torch.arange(20), 8, seed)
        loader.set_epoch(epoch)
        pairs = [(int(x), int(y)) for xs, ys in loader for x, y in zip(xs, ys, strict=True)]
        assert all(x == y for x, y in pairs)
        return [y for _, y in pairs]

    assert order(None, 5) == list(range(20))
    assert order(1, 0) == order(1, 0) and sorted(order(1, 0)) == list(range(20))
    assert order(1, 0) != order(1, 1) and order(1, 0) != order(2, 0)


def test_an_epoch_over_features_has_the_batches_of_an_epoch_over_images():
    loader = FeatureLoader(torch.arange(20)[:, None].float(), torch.arange(20), 8, shuffle_seed=3)
    loader.set_epoch(2)
    assert [y.tolist() for _, y in loader] == training_batches(20, 8, seed=3, epoch=2)


def test_kept_features_know_their_files_and_follow_weights():
    features, targets = torch.arange(6.0)[:, None], torch.zeros(6, dtype=torch.int64)
    weights = torch.tensor([0.0, 0, 0, 0, 1, 1])
    loader = FeatureLoader(features, targets, bs=4, shuffle_seed=1, weights=weights, sources=list("abcdef"))
    for epoch in range(3):
        loader.set_epoch(epoch)
        batches = [x.flatten().tolist() for x, _ in loader]
        assert {value for batch in batches for value in batch} <= {4.0, 5.0}
        assert [loader.batch_sources(i) for i in range(len(batches))] == [
            ["abcdef"[int(v)] for v in b] for b in batches
        ]
    assert FeatureLoader(features, targets, bs=4).batch_sources(0) == []
