"""Predictions: one, many, a folder, from several threads; what cannot be opened is named, all of it."""

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from export_folders import PREPROCESSING, VOCAB, run_python, trained
from PIL import Image

from coursekit.core import DataError, ExportError
from coursekit.data.batches import load_batch
from coursekit.export.predictor import Predictor, check_same_model, list_items
from coursekit.images import open_image
from coursekit.losses import softmax


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(trained(), VOCAB, PREPROCESSING)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for i in range(7):
        pixels = np.random.default_rng(i).integers(0, 255, (40 + i, 50, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / f"{i}.png")
    return tmp_path / "in"


def test_a_folder_becomes_a_table_in_the_order_of_the_vocabulary(predictor, folder):
    table = predictor.predictions(folder)
    paths = [folder / f"{i}.png" for i in range(7)]
    assert list(table.columns) == ["item", "label", "probability", *VOCAB]
    assert list(table["item"]) == [str(path) for path in paths]
    one_by_one = [predictor.predict(path) for path in paths]
    assert list(table["label"]) == [label for label, _, _ in one_by_one]
    np.testing.assert_allclose(table[VOCAB], torch.stack([probs for _, _, probs in one_by_one]), atol=1e-6)


@pytest.mark.parametrize("form", [list, tuple, pd.Series, iter, np.array])
def test_any_row_of_paths_will_do(predictor, folder, form):
    paths = sorted(folder.iterdir())
    assert list(predictor.predictions(form(paths))["item"]) == [str(path) for path in paths]


def test_one_image_is_a_table_of_one_row(predictor, folder):
    path = folder / "3.png"
    for one in (path, str(path), path.read_bytes(), open_image(path), np.asarray(open_image(path))):
        assert len(predictor.predictions(one)) == 1 and len(predictor.get_preds(one)) == 1


def test_no_images_are_an_empty_table(predictor):
    assert predictor.predictions([]).shape == (0, 6) and predictor.get_preds([]).shape == (0, 3)


def test_all_images_that_cannot_be_opened_are_named_together(predictor, folder):
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:200])
    (folder / "5.png").write_text("<html>")
    for ask in (predictor.predictions, predictor.get_preds):
        with pytest.raises(DataError, match=r"2 of 7(.|\n)*drop_bad") as error:
            ask(folder, bs=2)
        assert [Path(problem.item).name for problem in error.value.problems] == ["2.png", "5.png"]


def test_what_has_no_name_is_named_by_its_position(predictor):
    good = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(DataError) as error:
        predictor.get_preds([good, good, b"<html>", good, b""], bs=2)
    assert [problem.item for problem in error.value.problems] == ["2", "4"]


@pytest.mark.parametrize("items", [[None], [7], [object()], 7, None, [torch.zeros(2, 2, 2, 2)]])
def test_other_types_are_a_type_error(predictor, items):
    with pytest.raises(TypeError):
        predictor.get_preds(items)


def test_a_table_is_refused_with_a_word_on_what_to_give(predictor):
    with pytest.raises(DataError, match="Give the paths themselves"):
        predictor.predictions(pd.DataFrame({"image": ["a.jpg"]}))


def test_a_folder_without_images_says_so(predictor, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match="image"):
        predictor.predictions(tmp_path)


def test_images_of_different_sizes_without_a_size_keep_their_own_message(folder):
    batch = Predictor(trained(), VOCAB, {**PREPROCESSING, "item_tfms": None})
    with pytest.raises(DataError) as error:
        batch.get_preds(folder)
    assert "cannot be predicted" not in error.value.what


@pytest.mark.parametrize("bs", [0, -1, 2.0, "4", None, True])
def test_a_batch_size_is_a_whole_number(predictor, folder, bs):
    for ask in (predictor.predictions, predictor.get_preds):
        with pytest.raises(DataError, match="bs="):
            ask(folder, bs=bs)


def test_the_model_may_be_trained_on_afterwards(folder):
    model = trained().train()
    probs = Predictor(model, VOCAB, PREPROCESSING).get_preds(folder)
    assert not model.training and not probs.requires_grad
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_to_moves_the_predictor_itself(folder):
    moved = Predictor(trained(), VOCAB, PREPROCESSING)
    assert moved.to("meta") is moved and moved.device.type == "meta"
    assert {tensor.device.type for tensor in moved.model.state_dict().values()} == {"meta"}


def test_threads_get_what_one_would_get_alone(predictor, folder):
    expected = predictor.get_preds(folder, bs=3)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: predictor.get_preds(folder, bs=3), range(16)))
        features = list(pool.map(lambda _: predictor.get_features(folder, bs=3), range(16)))
        singles = list(pool.map(lambda i: predictor.predict(folder / f"{i % 7}.png")[2], range(28)))
    assert all(torch.equal(probs, expected) for probs in found)
    assert all(torch.equal(some, predictor.get_features(folder, bs=3)) for some in features)
    for i, probs in enumerate(singles):
        torch.testing.assert_close(probs, expected[i % 7])


def test_predicting_alone_imports_no_tables(tmp_path, exported, folder):
    code = """
        import sys
        from coursekit.export.folder import load_learner
        predictor = load_learner(sys.argv[1])
        predictor.predict(sys.argv[2]); predictor.get_preds([sys.argv[2]])
        print("pandas" in sys.modules)
    """
    assert run_python(code, exported, folder / "0.png").strip() == "False"


def test_list_items_takes_strings_as_paths_and_not_as_letters():
    assert list_items("photo.jpg") == ["photo.jpg"] and list_items(("a", "b")) == ["a", "b"]


# ---- features


def test_features_are_what_the_head_sees_in_order(predictor, folder):
    features = predictor.get_features(folder, bs=3)
    paths = [folder / f"{i}.png" for i in range(7)]
    with torch.no_grad():
        assert torch.equal(features, predictor.model.features(load_batch(paths, PREPROCESSING)))
        assert torch.equal(softmax(predictor.model.classify(features)), predictor.get_preds(folder, bs=7))
    assert features.dtype == torch.float32 and features.shape == (7, predictor.model.head.norm1.num_features)
    assert not features.requires_grad and torch.equal(predictor.get_features(paths[::-1]).flip(0), features)


def test_features_of_one_image_and_of_none(predictor, folder):
    assert predictor.get_features(folder / "0.png").shape[0] == 1
    assert predictor.get_features([]).shape == (0, predictor.get_features(folder).shape[1])


def test_features_find_the_same_picture(predictor, folder):
    features = torch.nn.functional.normalize(predictor.get_features(folder))
    assert (features @ features.T).argmax(dim=1).tolist() == list(range(7))


def test_features_of_images_that_cannot_be_opened_are_refused_together(predictor, folder):
    (folder / "2.png").write_text("<html>")
    with pytest.raises(DataError, match=r"1 of 7 images(.|\n)*drop_bad=True"):
        predictor.get_features(folder)


# ---- bad images, and what is no image


def test_bad_images_are_left_out_of_a_table_when_asked(predictor, folder, capsys):
    whole = predictor.predictions(folder)
    (folder / "2.png").write_bytes((folder / "2.png").read_bytes()[:200])
    (folder / "5.png").write_text("<html>")
    table = predictor.predictions(folder, drop_bad=True)
    assert "2 of 7 images are left out" in capsys.readouterr().out
    pd.testing.assert_frame_equal(table, whole.drop([2, 5]).reset_index(drop=True))
    for name in ("2.png", "5.png"):
        with pytest.raises(DataError):
            predictor.predict(folder / name)
    assert predictor.predictions([b"", b""], drop_bad=True).shape == (0, 6)


@pytest.mark.parametrize("row", [pd.Series({"file": "0.png", "label": "cat"}), pd.DataFrame({"file": ["0.png"]})])
def test_a_row_or_a_table_is_refused_in_a_sentence_that_names_the_path(predictor, row):
    with pytest.raises(TypeError, match=r"pass the path that it holds"):
        predictor.predict(row)


def test_half_precision_tensors_are_images(predictor, folder):
    tensor = torch.from_numpy(np.asarray(open_image(folder / "0.png")).copy()).permute(2, 0, 1) / 255
    expected = predictor.predict(tensor)[2]
    for dtype in (torch.float16, torch.float64):
        assert torch.equal(predictor.predict(tensor.to(dtype))[2], expected)


# ---- the model that was trained is the model that is rebuilt


def test_another_layer_without_weights_is_noticed(predictor):
    images, changed = torch.rand(2, 3, 64, 64), copy.deepcopy(predictor.model)
    check_same_model(changed, predictor.model, images, 1e-6)
    changed.head.relu = torch.nn.Sigmoid()
    with pytest.raises(ExportError, match="a layer without weights was replaced"):
        check_same_model(changed, predictor.model, images, 1e-3)
