"""Device, precision and optimiser."""

import pytest
import torch
from torch import nn

from coursekit.core import TrainingError
from coursekit.engine import Engine, Precision, adamw, choose_precision

CPU = torch.device("cpu")


def test_adamw_equals_the_formula_after_twenty_steps_with_two_groups():
    gen = torch.Generator().manual_seed(3)
    start = [torch.randn(4, generator=gen), torch.randn(3, generator=gen)]
    settings = [{"lr": 0.05, "weight_decay": 0.1}, {"lr": 0.2, "weight_decay": 0.0}]
    params = [nn.Parameter(w.clone()) for w in start]
    optimiser = adamw([{"params": [p], **s} for p, s in zip(params, settings, strict=True)])
    grads = [[torch.randn_like(w) for w in start] for _ in range(20)]
    for step in grads:
        for p, g in zip(params, step, strict=True):
            p.grad = g.clone()
        optimiser.step()
    for i, s in enumerate(settings):
        w, mean, square = start[i].double(), 0.0, 0.0
        for t, step in enumerate(grads, 1):
            g = step[i].double()
            mean, square = 0.9 * mean + 0.1 * g, 0.99 * square + 0.01 * g**2
            w = w * (1 - s["lr"] * s["weight_decay"])
            w = w - s["lr"] * (mean / (1 - 0.9**t)) / ((square / (1 - 0.99**t)).sqrt() + 1e-5)
        assert torch.allclose(params[i].detach().double(), w, atol=1e-6)


def test_precision_asked_for_is_precision_given():
    assert [choose_precision(CPU, p) for p in ("fp32", "fp16", "bf16")] == [
        Precision.FP32,
        Precision.FP16,
        Precision.BF16,
    ]


def test_auto_precision_on_a_device_without_fast_bf16_is_float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    assert choose_precision(CPU) is Precision.FP32
    assert choose_precision(torch.device("meta")) is Precision.FP32


@pytest.mark.parametrize("feature", ["avx512_bf16", "amx_bf16"])
def test_auto_precision_uses_bf16_where_the_processor_has_it(monkeypatch, feature):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {feature: True}, raising=False)
    assert choose_precision(CPU) is Precision.BF16


def test_unknown_precision_is_refused_with_the_known_ones():
    with pytest.raises(TrainingError, match="auto, fp32, fp16, bf16"):
        choose_precision(CPU, "fp8")


def test_forward_runs_in_the_chosen_precision_and_weights_stay_float32():
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        engine, model = Engine(CPU, precision), nn.Linear(2, 2)
        with engine.autocast():
            assert model(torch.ones(1, 2)).dtype is dtype
        assert model.weight.dtype is torch.float32


def test_gradients_are_scaled_under_fp16_and_the_step_is_the_same():
    def step(precision):
        torch.manual_seed(0)
        model, engine = nn.Linear(3, 1), Engine(CPU, precision)
        optimiser = adamw([{"params": list(model.parameters()), "lr": 0.1}])
        with engine.autocast():
            loss = 0.01 * model(torch.ones(4, 3)).float().square().mean()  # small: scaled by 65536 it must fit fp16
        engine.backward(loss)
        grad = model.weight.grad.abs().max().item()
        engine.step(optimiser)
        return model.weight.detach(), grad

    plain, plain_grad = step("fp32")
    scaled, scaled_grad = step("fp16")
    assert scaled_grad > 100 * plain_grad
    assert torch.allclose(plain, scaled, atol=1e-2)


def test_convolutions_are_laid_out_channels_last():
    model = Engine(CPU).prepare(nn.Conv2d(3, 4, 3))
    assert model.weight.is_contiguous(memory_format=torch.channels_last)
