"""One evaluation for all: whole sets in float32, and the model inside its wrappers."""

from functools import partial

import pytest
import torch
from torch import nn

from coursekit.models import inference
from coursekit.models.inference import full_float32, predict_logits, unwrap


@pytest.mark.parametrize("wrap", [nn.DataParallel, partial(torch.compile, backend="eager")])
def test_the_model_inside_its_wrappers_is_found(wrap):
    model = nn.Sequential(nn.Linear(2, 3))
    assert unwrap(wrap(model)) is unwrap(nn.DataParallel(wrap(model))) is unwrap(model) is model
    x = torch.eye(2)
    assert torch.equal(predict_logits(wrap(model), [(x, None)])[0], model(x))


def test_a_layer_that_is_called_module_is_no_wrapper():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = nn.Linear(2, 2)

    own = Own()
    assert unwrap(own) is own


def rounding():
    """How float32 products are computed on CUDA, for convolutions and for matrices."""
    return torch.backends.cudnn.conv.fp32_precision, torch.backends.cuda.matmul.fp32_precision


def test_float32_of_a_gpu_is_full_inside_and_as_it_was_after_the_last_one_left():
    before, cuda = rounding(), torch.device("cuda")
    with full_float32(cuda):
        with pytest.raises(KeyError), full_float32(cuda):
            raise KeyError
        assert rounding() == ("ieee", "ieee")  # another one is still inside
    assert rounding() == before != ("ieee", "ieee")


def test_nothing_is_switched_where_float32_is_always_full():
    before = rounding()
    with full_float32(torch.device("cpu")):
        assert rounding() == before


@pytest.mark.parametrize("model", [nn.Linear(2, 2), nn.BatchNorm1d(2, affine=False), nn.Identity()])
def test_predictions_are_made_in_full_float32_on_the_model_s_device(monkeypatch, model):
    asked = []

    def noting(device):
        asked.append(device.type)
        return full_float32(device)

    monkeypatch.setattr(inference, "full_float32", noting)
    predict_logits(model, [(torch.eye(2), None)])
    assert asked == ["cpu"]
    predict_logits(model.to("meta"), [(torch.eye(2, device="meta"), None)])
    assert asked[1:] == (["cpu"] if isinstance(model, nn.Identity) else ["meta"])
