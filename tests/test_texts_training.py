"""The training code of the source texts 000 to 004, in today's spelling and with only the import changed.

The photos are small and few, and the weights that the texts download are random here, of the right names and shapes.
Their data code is tested in test_texts_data.py, their results code in test_texts_results.py.
"""

import pytest
from breeds import breed_loaders

from coursekit import *
from coursekit.training.schedule import one_cycle


@pytest.fixture
def dls(tmp_path, monkeypatch):
    return breed_loaders(tmp_path, monkeypatch)


def test_text_000_unfreezes_and_trains_with_rates_by_layer(dls):
    learn = vision_learner(dls, resnet34, metrics=accuracy)  # the text's resnet50 is trained below
    learn.fit_one_cycle(1)
    learn.unfreeze()
    learn.fit_one_cycle(1)
    learn.lr_find(stop_div=False, num_it=30)
    learn.recorder.plot_lr_find()
    learn.fit_one_cycle(1, slice(1e-5, 1e-4))
    learn.freeze()
    learn.export("export")
    learn_inf = load_learner("export")
    photo = dls.valid.sources[0]
    assert learn_inf.predict(photo)[0] == learn.predict(photo)[0]
    assert learn.recorder.lrs == pytest.approx([one_cycle(1e-4)(i / len(dls.train)) for i in range(len(dls.train))])


def test_text_001_trains_a_first_model(dls):
    with pytest.warns(FutureWarning, match="vision_learner"):
        learn = cnn_learner(dls, resnet34, metrics=error_rate)
    learn.fine_tune(1)
    assert learn.recorder.names == ["epoch", "train_loss", "valid_loss", "error_rate"]
    learn.unfreeze()  # the text says model.unfreeze()
    assert all(p.requires_grad for p in learn.model.parameters())


def test_text_002_looks_at_predictions(dls):
    learn = vision_learner(dls, resnet34, metrics=error_rate)
    x, y = dls.one_batch()
    preds, _ = learn.get_preds(dl=[(x, y)])
    assert preds.shape == (8, 2)
    assert len(preds[0]) == 2 and preds[0].sum() == pytest.approx(1)


def test_text_002_finds_rates_and_fine_tunes(dls):
    learn = vision_learner(dls, resnet34, metrics=error_rate)
    learn.fine_tune(1, base_lr=0.1)
    learn = vision_learner(dls, resnet34, metrics=error_rate)
    lr_min, lr_steep = learn.lr_find(suggest_funcs=(minimum, steep))
    print(f"Minimum/10: {lr_min:.2e}, steepest point: {lr_steep:.2e}")
    assert 1e-8 <= lr_min < 10 and 1e-7 <= lr_steep < 10
    learn.fine_tune(2, base_lr=3e-3)
    assert len(learn.recorder.values) == 2


def test_text_002_unfreezes_with_discriminative_rates(dls):
    learn = vision_learner(dls, resnet34, metrics=error_rate)
    learn.fit_one_cycle(3, 3e-3)
    learn.unfreeze()
    learn.fit_one_cycle(6, lr_max=1e-5)
    learn.fit_one_cycle(6, lr_max=slice(1e-6, 1e-4))
    learn.recorder.plot_loss()
    assert learn.epochs_done == 15
    rates = {group["layer_group"]: group["lr"] for group in learn.opt.param_groups}
    assert rates[1] / rates[0] == pytest.approx(10) and rates[2] / rates[1] == pytest.approx(10)


def test_text_002_trains_a_deeper_network_in_half_precision(dls):
    learn = vision_learner(dls, resnet50, metrics=error_rate).to_fp16()
    learn.fine_tune(6, freeze_epochs=3)
    assert learn.epochs_done == 9 and learn.engine.precision == "fp16"


def test_text_003_saves_a_stage_and_goes_on_from_it(dls):
    learn = vision_learner(dls, resnet34, metrics=error_rate)
    learn.fit_one_cycle(4)
    learn.save("stage-1")
    learn.unfreeze()
    learn.fit_one_cycle(1)
    learn.load("stage-1")
    learn.lr_find(stop_div=False, num_it=30)
    learn.recorder.plot_lr_find()
    learn.fit_one_cycle(2, lr_max=slice(1e-6, 1e-4))
    assert learn.epochs_done == 4 + 2  # the epoch between was taken back


def test_text_004_fine_tunes_at_a_rate_of_its_own(dls):
    learn = vision_learner(dls, resnet34, metrics=error_rate)
    learn.fine_tune(2)
    learn.fine_tune(2, 0.003)
    learn.unfreeze()
    learn.fit_one_cycle(2, lr_max=slice(1e-6, 1e-4))
    learn.recorder.plot_loss()
    assert learn.epochs_done == 8
