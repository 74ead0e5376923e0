"""One evaluation for all: whole sets in float32, and the model inside its wrappers."""

from functools import partial

import pytest
import torch
from torch import nn

from coursekit.models.inference import predict_logits, unwrap


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
