"""The results code of the source texts 000 to 004, in today's spelling and with only the import changed.

Names that have gone are marked: `recorder.plot` is `plot_lr_find`, and what 000 and 003 call a data bunch is `dls`.
Text 001 has no code for results: it ends with training. Photos and weights are those of test_texts_training.py.
"""

import pandas as pd
import pytest
import torch
from breeds import BREEDS, breed_loaders, save_breeds
from matplotlib.figure import Figure

from coursekit import *


@pytest.fixture
def dls(tmp_path, monkeypatch):
    return breed_loaders(tmp_path, monkeypatch)


@pytest.fixture
def learn(dls):
    learn = vision_learner(dls, resnet34, metrics=error_rate)
    learn.fit(1, 1e-6)  # hardly trained: the results do not matter here, what is made of them does
    return learn


# ---- 000: recorder, export, and a test set without labels


def test_text_000_plots_the_rates(learn):
    learn.lr_find(stop_div=False, num_it=20)
    assert "learning rate" in learn.recorder.plot_lr_find().axes[0].get_xlabel()  # the text says recorder.plot()


def test_text_000_exports_loads_and_predicts_a_test_set(learn, dls, tmp_path):
    learn.freeze()
    learn.export()
    learn_inf = load_learner("export")  # there: the folder, and the name of the pickle in it
    test = get_image_files(save_breeds(tmp_path / "test", 5))
    labels = [learn_inf.predict(photo)[0] for photo in test]
    preds, targets = learn.get_preds(dl=dls.test_dl(test))
    assert targets is None and [dls.vocab[i] for i in preds.argmax(dim=1)] == labels
    assert torch.equal(learn_inf.get_preds(test), preds)
    submission = pd.DataFrame({"image_names": [path.name for path in test], "emergency_or_not": preds.argmax(dim=1)})
    submission.to_csv("submission.csv", index=False)
    assert pd.read_csv("submission.csv").shape == (5, 2)


def test_text_000_names_its_export_as_it_likes(learn):
    learn.export("learner.pkl")  # a folder here, whatever its name
    assert load_learner("learner.pkl").vocab == ["Birman", "great_pyrenees"]


# ---- 002: one batch, the confusion matrix, the losses


def test_text_002_looks_at_the_predictions_of_a_batch(learn, dls):
    x, y = dls.one_batch()
    preds, _ = learn.get_preds(dl=[(x, y)])
    assert len(preds[0]) == dls.c and preds[0].sum() == pytest.approx(1)
    assert torch.equal(_, y)


def test_text_002_interprets(learn):
    interp = ClassificationInterpretation.from_learner(learn)
    figure = interp.plot_confusion_matrix(figsize=(12, 12), dpi=60)
    assert isinstance(figure, Figure) and figure.get_size_inches().tolist() == [12, 12] and figure.dpi == 60
    pairs = interp.most_confused(min_val=1)
    assert all(isinstance(pair, tuple) and pair[0] != pair[1] and pair[2] >= 1 for pair in pairs)
    assert sum(n for *_, n in pairs) == (interp.preds != interp.targets).sum()


def test_text_002_plots_its_losses(learn):
    assert learn.recorder.plot_loss().axes[0].get_ylabel()


PRINTED = {
    "002": [
        ("Birman", "Ragdoll", 4), ("Ragdoll", "Birman", 4), ("Siamese", "Birman", 4),
        ("american_pit_bull_terrier", "staffordshire_bull_terrier", 4),
    ],
    "003": [
        ("Siamese", "Birman", 6), ("american_pit_bull_terrier", "staffordshire_bull_terrier", 5),
        ("staffordshire_bull_terrier", "american_pit_bull_terrier", 5), ("Maine_Coon", "Ragdoll", 4),
        ("beagle", "basset_hound", 4), ("chihuahua", "miniature_pinscher", 3),
        ("staffordshire_bull_terrier", "american_bulldog", 3), ("Birman", "Ragdoll", 2),
        ("British_Shorthair", "Russian_Blue", 2), ("Egyptian_Mau", "Abyssinian", 2), ("Ragdoll", "Birman", 2),
        ("american_bulldog", "staffordshire_bull_terrier", 2), ("boxer", "american_pit_bull_terrier", 2),
        ("chihuahua", "shiba_inu", 2), ("miniature_pinscher", "american_pit_bull_terrier", 2),
        ("yorkshire_terrier", "havanese", 2),
    ],
}  # fmt: skip


def interpretation(mistakes: list[tuple[str, str, int]]) -> ClassificationInterpretation:
    """Three images of each breed that are right, those mistakes, and two pairs that are confused once."""
    pairs = [(breed, breed) for breed in BREEDS for _ in range(3)]
    pairs += [(actual, predicted) for actual, predicted, n in mistakes for _ in range(n)]
    pairs += [("pug", "boxer"), ("samoyed", "great_pyrenees")]
    actual, predicted = (torch.tensor([BREEDS.index(name) for name in names]) for names in zip(*pairs, strict=True))
    probs = torch.full((len(pairs), 37), 0.01).scatter(1, predicted[:, None], 0.64)
    return ClassificationInterpretation(probs, actual, BREEDS)


@pytest.mark.parametrize(("text", "min_val"), [("002", 4), ("003", 2)])
def test_the_most_confused_pairs_come_in_the_texts_form_and_order(text, min_val):
    assert sorted(BREEDS) == BREEDS and len(BREEDS) == 37
    assert interpretation(PRINTED[text]).most_confused(min_val=min_val) == PRINTED[text]


# ---- 003: a saved stage, top losses


def test_text_003_interprets_a_saved_stage(learn):
    before = learn.get_preds()[0]
    learn.save("stage-1")
    learn.unfreeze()
    learn.fit_one_cycle(1)
    learn.load("stage-1")
    assert torch.equal(learn.get_preds()[0], before)


def test_text_003_shows_its_top_losses(learn, dls):
    interp = ClassificationInterpretation.from_learner(learn)
    losses, idxs = interp.top_losses()
    assert len(dls.valid.items) == len(losses) == len(idxs)
    assert interp.plot_top_losses(9, figsize=(15, 11)).get_size_inches().tolist() == [15, 11]
    assert interp.plot_top_losses(4, nrows=2).axes[0].get_subplotspec().get_gridspec().nrows == 2
    title = interp.plot_top_losses(1).axes[0].get_title()
    assert title.startswith("predicted ") and "actual " in title and dls.valid.items[idxs[0]].name in title
    interp.plot_confusion_matrix(figsize=(12, 12), dpi=60)
    interp.most_confused(min_val=2)


# ---- 004: the worst pairs, losses, an export and a submission in the competition's columns


def test_text_004_looks_at_a_model_and_exports_it(learn):
    interp = ClassificationInterpretation.from_learner(learn)
    interp.plot_confusion_matrix(figsize=(12, 12), dpi=60)
    assert interp.most_confused(min_val=5) == [p for p in interp.most_confused() if p[2] >= 5]
    learn.recorder.plot_loss()
    learn.export("wildlife")
    assert load_learner("wildlife").description["metrics"].keys() == {"valid_loss", "error_rate"}


def test_text_004_writes_a_submission(learn, dls, tmp_path):
    test = get_image_files(save_breeds(tmp_path / "test_features", 6))
    preds, _ = learn.get_preds(dl=dls.test_dl(test))
    submission = pd.DataFrame(preds.numpy(), columns=dls.vocab, index=[path.stem for path in test])
    submission.to_csv("submission.csv", index_label="id")
    written = pd.read_csv("submission.csv", index_col="id")
    assert written.columns.tolist() == ["Birman", "great_pyrenees"]
    assert written.to_numpy().sum(axis=1) == pytest.approx(1)


# ---- what the texts' library has beside that, under the same names


def test_results_are_shown_and_averaged_over_augmented_copies(learn, dls):
    assert len([axes for axes in learn.show_results(max_n=3).axes if axes.images]) == 3
    preds, targets = learn.tta()
    assert preds.shape == (len(dls.valid.items), 2) and targets.tolist() == dls.valid.targets
    assert preds.sum(dim=1) == pytest.approx(1)
    report = ClassificationInterpretation.from_learner(learn).classification_report()
    assert report.loc["Birman", "support"] == dls.valid.targets.count(0)


def test_predict_gives_label_index_and_probabilities(learn, dls):
    label, index, probs = learn.predict(dls.valid.items[0])
    assert label == dls.vocab[index] and probs.argmax() == index and probs.shape == (2,)
