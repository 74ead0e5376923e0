"""Device, precision and optimiser."""

import math
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from coursekit.core import TrainingError
from coursekit.export.folder import load_learner
from coursekit.training.learner import vision_learner
from coursekit.training.precision import Engine, Precision, adamw, choose_precision

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


@pytest.fixture
def nothing_forced(monkeypatch):
    """`auto` asks the hardware, even if COURSEKIT_PRECISION is set for these tests."""
    monkeypatch.delenv("COURSEKIT_PRECISION", raising=False)


def test_auto_precision_on_a_device_without_fast_bf16_is_float32(monkeypatch, nothing_forced):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    assert choose_precision(CPU) is Precision.FP32
    assert choose_precision(torch.device("meta")) is Precision.FP32


@pytest.mark.parametrize("feature", ["avx512_bf16", "amx_bf16"])
def test_auto_precision_uses_bf16_where_the_processor_has_it(monkeypatch, nothing_forced, feature):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {feature: True}, raising=False)
    assert choose_precision(CPU) is Precision.BF16


def test_unknown_precision_is_refused_with_the_known_ones():
    with pytest.raises(TrainingError, match="auto, fp32, fp16, bf16"):
        choose_precision(CPU, "fp8")


@pytest.mark.parametrize("forced", ["fp32", "fp16", "bf16"])
def test_the_environment_decides_what_auto_means_and_nothing_else(monkeypatch, forced):
    monkeypatch.setenv("COURSEKIT_PRECISION", forced)
    assert choose_precision(CPU).value == Engine(CPU).precision.value == forced
    assert [choose_precision(CPU, p.value) for p in Precision] == list(Precision)


@pytest.mark.parametrize("forced", ["auto", "fp8"])
def test_an_unknown_precision_in_the_environment_is_refused_with_the_variable_s_name(monkeypatch, forced):
    monkeypatch.setenv("COURSEKIT_PRECISION", forced)
    with pytest.raises(TrainingError, match=f"'{forced}'(.|\n)*COURSEKIT_PRECISION asks for it(.|\n)*unset"):
        choose_precision(CPU)
    assert choose_precision(CPU, "fp32") is Precision.FP32


def test_an_empty_variable_forces_nothing(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    monkeypatch.setenv("COURSEKIT_PRECISION", "")
    assert choose_precision(CPU) is Precision.FP32


@pytest.mark.parametrize("kind", ["mps", "xpu", "meta"])
def test_an_engine_for_other_devices_computes_in_float32_unless_told(nothing_forced, kind):
    engine = Engine(torch.device(kind))
    assert engine.precision is Precision.FP32 and not engine.scaler.is_enabled()
    assert isinstance(engine.autocast(), nullcontext)


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
@pytest.mark.parametrize(("precision", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16)])
def test_autocast_is_that_of_the_device_and_the_precision(monkeypatch, kind, precision, dtype):
    monkeypatch.setattr(torch, "autocast", lambda *asked: asked)
    assert Engine(torch.device(kind), precision).autocast() == (kind, dtype)


@pytest.mark.parametrize(("kind", "fused"), [("cpu", True), ("meta", False)])
def test_the_optimiser_is_fused_where_the_device_allows(kind, fused):
    groups = [{"params": [nn.Parameter(torch.zeros(2, device=kind))]}]
    assert adamw(groups).defaults["fused"] is fused
    groups.append({"params": [nn.Parameter(torch.zeros(2, device="meta"))]})
    assert adamw(groups).defaults["fused"] is False  # as soon as one parameter is elsewhere


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


CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and there is none here")
ALL = pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])


@pytest.mark.parametrize(("bf16", "expected"), [(True, Precision.BF16), (False, Precision.FP16)])
def test_auto_precision_on_cuda_is_bf16_where_the_hardware_has_it_else_fp16(
    monkeypatch, nothing_forced, bf16, expected
):
    asked = []
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: asked.append(including_emulation) or bf16
    )
    assert choose_precision(torch.device("cuda")) is expected
    assert asked == [False]  # emulated bf16 is slower than fp16


def test_the_scaler_works_under_fp16_only():
    assert [Engine(CPU, p).scaler.is_enabled() for p in ("fp32", "fp16", "bf16")] == [False, True, False]


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))


def two_steps(precision, device):
    """Losses of two training steps of a network with convolution, normalisation and a linear layer."""
    engine = Engine(torch.device(device), precision)
    model = engine.prepare(small_network())
    optimiser = adamw([{"params": list(model.parameters()), "lr": 1e-2}])
    x = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(1)).to(device)
    losses = []
    for _ in range(2):
        with engine.autocast():
            logits = model(x)
        loss = nn.functional.cross_entropy(logits.float(), torch.arange(8, device=device) % 2)
        engine.backward(loss)
        engine.unscale(optimiser)
        engine.step(optimiser)
        losses.append(loss.detach())
    return model, torch.stack(losses)


@ALL
def test_every_precision_trains_on_the_cpu_and_agrees_with_float32(precision):
    model, losses = two_steps(precision, "cpu")
    _, expected = two_steps("fp32", "cpu")
    assert torch.allclose(losses, expected, rtol=0.05)
    assert all(p.dtype is torch.float32 and p.isfinite().all() for p in model.parameters())
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("precision", ["auto", "fp32"])
def test_every_step_but_the_reading_of_numbers_runs_on_the_meta_device(nothing_forced, precision):
    model, losses = two_steps(precision, "meta")
    assert losses.device.type == "meta" and losses.shape == (2,)
    assert all(p.device.type == "meta" for p in model.parameters())


@CUDA
@pytest.mark.cuda
@ALL
def test_every_precision_trains_on_cuda_and_agrees_with_float32_on_the_cpu(precision):
    model, losses = two_steps(precision, "cuda")
    _, expected = two_steps("fp32", "cpu")
    assert torch.allclose(losses.cpu(), expected, rtol=0.05)
    assert all(p.is_cuda and p.dtype is torch.float32 for p in model.parameters())


def test_a_step_whose_gradients_overflow_is_skipped_and_the_scale_halved():
    weight, engine = nn.Parameter(torch.ones(2)), Engine(CPU, "fp16")
    optimiser = adamw([{"params": [weight], "lr": 0.1}])
    scale = engine.scaler.get_scale()
    engine.backward((weight * math.inf).sum())
    engine.step(optimiser)
    assert torch.equal(weight.detach(), torch.ones(2)) and engine.scaler.get_scale() == scale / 2
    engine.backward(weight.sum())
    engine.step(optimiser)
    assert not torch.equal(weight.detach(), torch.ones(2))


@ALL
def test_unscaled_gradients_are_the_true_ones_and_are_divided_once(precision):
    weight, engine = nn.Parameter(torch.ones(3)), Engine(CPU, precision)
    optimiser = torch.optim.SGD([weight], lr=1.0)
    engine.backward((weight * torch.tensor([1.0, 2.0, 3.0])).sum())
    engine.unscale(optimiser)
    assert torch.allclose(weight.grad, torch.tensor([1.0, 2.0, 3.0]))
    engine.step(optimiser)
    assert torch.allclose(weight.detach(), torch.tensor([0.0, -1.0, -2.0]))


def test_gradients_of_several_backward_passes_add_up_until_the_step():
    weight, engine = nn.Parameter(torch.zeros(1)), Engine(CPU, "fp16")
    optimiser = torch.optim.SGD([weight], lr=1.0)
    for part in (0.25, 0.5):
        engine.backward((weight * part).sum())
    engine.step(optimiser)
    assert weight.item() == -0.75 and weight.grad is None


def test_a_compiled_model_keeps_its_names_and_its_numbers():
    model = Engine(CPU).prepare(small_network()).eval()
    x, names = torch.rand(2, 3, 8, 8), list(model.state_dict())
    plain = model(x)
    model.compile(backend="eager")
    assert list(model.state_dict()) == names and torch.allclose(model(x), plain, atol=1e-6)


# ---- a learner in float32 and in bfloat16 (the fixture `precision`), on any processor


def final_weights(learn):
    learn.fit_one_cycle(1, 1e-2)
    return torch.cat([p.detach().flatten() for p in learn.model.parameters()])


def test_a_run_repeats_bit_for_bit_in_either_precision(make_toy_learner, precision):
    assert torch.equal(*(final_weights(make_toy_learner(precision=precision)) for _ in range(2)))


def test_a_run_in_bfloat16_is_near_that_in_float32_and_not_the_same(make_toy_learner):
    exact, rounded = (final_weights(make_toy_learner(precision=name)) for name in ("fp32", "bf16"))
    assert 0 < (exact - rounded).norm() < 0.05 * exact.norm()


def test_an_export_answers_as_the_learner_whatever_precision_it_trained_in(image_loaders, precision, tmp_path):
    dls = image_loaders()
    learn = vision_learner(dls, "test_resnet", pretrained=False, precision=precision)
    learn.fit(1)
    learn.export(tmp_path / "export")
    preds = load_learner(tmp_path / "export").get_preds(dls.valid.sources)
    assert preds.dtype is torch.float32 and torch.equal(preds, learn.get_preds()[0])


# ---- what training on CUDA needs to repeat itself

NOT_REPEATABLE = {  # on CUDA, as torch.use_deterministic_algorithms lists them, by the names of their operations
    *("adaptive_max_pool2d_backward", "_adaptive_avg_pool2d_backward", "avg_pool3d_backward"),
    *("upsample_bilinear2d_backward", "_upsample_bilinear2d_aa_backward", "upsample_bicubic2d_backward"),
    *("grid_sampler_2d_backward", "reflection_pad2d_backward", "fractional_max_pool2d_backward"),
    *("nll_loss2d_forward", "nll_loss2d_backward", "put_", "histc", "bincount", "median", "kthvalue"),
}


class Operations(TorchDispatchMode):
    """Notes the names of all operations that run inside."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def test_with_deterministic_algorithms_training_uses_only_operations_that_repeat_themselves_on_cuda(image_loaders):
    learn = vision_learner(image_loaders(), "test_resnet", pretrained=False, precision="fp32")
    for deterministic in (False, True):
        torch.use_deterministic_algorithms(deterministic)
        try:
            with Operations() as seen:
                learn.fit(1, 1e-3)
        finally:
            torch.use_deterministic_algorithms(False)
        found = seen.names & NOT_REPEATABLE
        assert found == (set() if deterministic else {"adaptive_max_pool2d_backward"})
