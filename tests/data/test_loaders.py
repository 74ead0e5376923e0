"""Weighted sampling, files that vanish, and worker processes that cannot start or are killed (faults 19, 35, 36)."""

import contextlib
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import RandomResizedCrop, Resize
from coursekit.core import DataError
from coursekit.data.batches import epoch_order, item_weights
from coursekit.data.block import DataBlock
from coursekit.data.cache import PresizeCache
from coursekit.data.files import parent_label
from coursekit.data.workers import WorkerError


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    "Caches go where the test's other files go."
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def photos(tmp_path) -> Path:
    "30 photos of noise: 24 cats, 6 dogs."
    for label, n in (("cat", 24), ("dog", 6)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(n):
            pixels = np.random.default_rng(i).integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{i:02d}.png")
    return tmp_path / "photos"


def loaders(photos, splitter=None, item_tfms=None, **kwargs):
    tfms = aug_transforms(size=12, min_scale=0.5)
    block = DataBlock(get_y=parent_label, splitter=splitter, item_tfms=item_tfms or Resize(16), batch_tfms=tfms)
    return block.dataloaders(photos, **{"bs": 8, **kwargs})


def batches(dl, epoch=0):
    dl.set_epoch(epoch)
    return list(dl)


def same(first, second) -> bool:
    pairs = zip(first, second, strict=True)
    return all(torch.equal(x1, x2) and torch.equal(y1, y2) for (x1, y1), (x2, y2) in pairs)


# weighted sampling


def test_balanced_weights_bring_all_classes_equally_often(photos):
    dls = loaders(photos, weights="balanced")
    drawn = Counter(i for epoch in range(40) for _, y in batches(dls.train, epoch) for i in y.tolist())
    assert 0.4 < drawn[1] / drawn.total() < 0.6, drawn
    plain = Counter(i for _, y in loaders(photos).train for i in y.tolist())
    assert plain[1] / plain.total() < 0.3


def test_a_weighted_epoch_is_a_function_of_seed_and_epoch_with_and_without_workers(photos):
    one, two = loaders(photos, weights="balanced"), loaders(photos, weights="balanced", num_workers=2)
    third = batches(one.train, 3)  # as a resumed run would: without the epochs before it
    assert same(third, batches(two.train, 3)) and same(third, batches(one.train, 3))
    assert not same(third, batches(one.train, 4)) and len(third) == len(one.train)
    assert not same(third, batches(loaders(photos, weights="balanced", seed=7).train, 3))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_epoch_that_is_read_inside_another_one_disturbs_neither(photos, workers):
    dls = loaders(photos, num_workers=workers, bs=4)
    whole, outer = batches(dls.train, 2), []
    dls.train.set_epoch(2)
    for i, batch in enumerate(dls.train):
        outer.append(batch)
        if i == 1:
            assert same(batches(dls.train, 5), batches(loaders(photos, bs=4).train, 5))
            dls.train.set_epoch(2)
    assert same(outer, whole) and same(batches(dls.train, 2), whole)


@pytest.mark.filterwarnings("ignore:No items are left for validation")
def test_an_item_that_comes_twice_in_an_epoch_is_augmented_in_two_ways(photos):
    weights = [0.0] * 30
    weights[5] = 1.0
    dls = loaders(photos, lambda items: (list(range(30)), []), RandomResizedCrop(16), weights=weights)
    x, _ = next(iter(dls.train))
    assert len({image.numpy().tobytes() for image in x}) == len(x) == 8


def test_items_of_weight_zero_never_come_and_validation_is_left_alone(photos):
    weights = [1.0] * 24 + [0.0] * 6
    dls = loaders(photos, weights=weights)
    assert {i for _, y in dls.train for i in y.tolist()} == {0}
    assert dls.valid.weights is None and dls.train_eval.weights is None
    assert sorted(dls.train_eval.targets) == sorted(dls.train.targets)


def test_a_weighted_draw_follows_its_weights():
    drawn = Counter(epoch_order(20_000, 1, 0, torch.tensor([1.0, 3.0] + [0.0] * 19_998)))
    assert set(drawn) == {0, 1} and 0.23 < drawn[0] / 20_000 < 0.27


@pytest.mark.parametrize("weights", [[1.0], [-1.0, 1, 1], [0.0, 0, 0], [float("nan"), 1, 1], "even"])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(DataError, match="3 numbers"):
        item_weights(weights, torch.tensor([0, 1, 1]), [0, 1, 2])


def test_class_weights_are_inverse_frequencies_of_the_training_set(photos):
    dls = loaders(photos)
    counts = Counter(dls.train.targets)
    expected = [dls.train.n / (2 * counts[i]) for i in range(2)]
    assert dls.class_weights().tolist() == pytest.approx(expected)
    assert dls.class_weights()[torch.tensor(dls.train.targets)].mean() == pytest.approx(1)
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    assert dls.class_weights().tolist() == pytest.approx(
        sklearn.compute_class_weight("balanced", classes=np.arange(2), y=np.array(dls.train.targets)).tolist()
    )


def test_a_class_without_training_images_has_no_weight(photos):
    from coursekit.data.block import CategoryBlock, ImageBlock

    block = DataBlock((ImageBlock, CategoryBlock(["cat", "dog", "emu"])), get_y=parent_label, item_tfms=Resize(16))
    with pytest.warns(UserWarning, match="emu"):
        dls = block.dataloaders(photos)
    assert dls.class_weights()[2] == 0 and dls.class_weights().isfinite().all()


# 19: a file that vanishes


@pytest.mark.parametrize("workers", [0, 1])
def test_19_a_file_that_vanishes_is_named_and_training_goes_on(photos, workers):
    dls = loaders(photos, cache=False, num_workers=workers)
    before = batches(dls.train, 1)
    gone = dls.train.sources[4]
    gone.unlink()
    with pytest.warns(UserWarning, match=f"1 image could not be read .* {gone.parent.name}/{gone.name}"):
        after = batches(dls.train, 1)
    assert sum(len(y) for _, y in after) == sum(len(y) for _, y in before) - 1 and len(after) == len(before)
    assert "no such file" in dls.train.left_out[f"{gone.parent.name}/{gone.name}"]
    rows = {image.numpy().tobytes(): int(label) for x, y in before for image, label in zip(x, y, strict=True)}
    for x, y in after:  # every other image is as it was, and has its own label
        assert [rows[image.numpy().tobytes()] for image in x] == y.tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batches(dls.train, 2)  # said once


def test_19_in_validation_where_each_item_has_its_place_it_is_an_error(photos):
    dls = loaders(photos, cache=False)
    dls.valid.sources[1].unlink()
    with pytest.raises(DataError, match=dls.valid.sources[1].name):
        batches(dls.valid)
    batches(dls.train)


def test_19_with_the_cache_files_may_vanish_unnoticed(photos):
    dls = loaders(photos)
    before = batches(dls.train)
    for source in dls.train.sources:
        source.unlink()
    assert same(before, batches(dls.train))


def test_19_when_the_disk_is_gone_training_stops_and_says_so(photos):
    dls = loaders(photos, cache=False)
    for source in dls.train.sources:
        source.unlink()
    with pytest.raises(DataError, match="8 of 8 images of a batch cannot be read"):
        batches(dls.train)


# 35: what cannot be sent to workers


SESSION = """
import multiprocessing, sys
from dataclasses import dataclass
from coursekit.data.block import DataBlock
from coursekit.data.cache import PresizeCache
from coursekit.data.files import parent_label
from coursekit.augment.resize import Resize
@dataclass(frozen=True)
class MyResize(Resize):
    pass
multiprocessing.set_start_method(sys.argv[2])
block = DataBlock(get_y=parent_label, item_tfms=MyResize(16))
print(len(list(block.dataloaders(sys.argv[1], bs=8).train)))
block.dataloaders(sys.argv[1], bs=8, num_workers=1)
"""


def test_35_a_class_of_the_notebook_is_named_before_a_worker_starts(photos, method="forkserver"):
    "A session without a file, as a notebook is. (For spawn the same check runs, and starting it takes as long.)"
    ran = subprocess.run(
        [sys.executable, "-c", SESSION, photos, method], capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.stdout.splitlines()[-1] == "3", ran.stderr
    for part in ("WorkerError", "MyResize was defined in this notebook", method, "into a file", "num_workers=0"):
        assert part in ran.stderr


UNGUARDED = """
import multiprocessing, sys
multiprocessing.set_start_method("spawn", force=True)
from coursekit import ImageDataLoaders, Resize
options = dict(valid_pct=0.2, item_tfms=Resize(16), bs=2, num_workers=1, cache=False, device="cpu")
dls = ImageDataLoaders.from_folder(sys.argv[1], **options)
for batch in dls.train: pass
"""


def test_a_script_whose_workers_would_run_it_again_is_told_the_line_it_lacks(photos, tmp_path):
    (tmp_path / "train.py").write_text(UNGUARDED)
    ran = subprocess.run(
        [sys.executable, tmp_path / "train.py", photos], capture_output=True, text=True, timeout=300, check=False
    )
    last = ran.stderr[ran.stderr.index("WorkerError: ") :]
    assert "runs this script anew" in last and 'if __name__ == "__main__":' in last


# 36: workers that die


def test_36_a_killed_worker_is_reported_in_plain_words_and_the_loader_lives_on(photos):
    dls = loaders(photos, num_workers=1, bs=2)
    whole = batches(dls.train)
    iterator = iter(dls.train)
    next(iterator)
    # else torch's handler may raise its own error at any line of this test
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        kill_workers()
        with pytest.raises(WorkerError) as caught:
            for _ in iterator:
                pass
    finally:
        forget_dead_workers()
    assert all(part in str(caught.value) for part in ("ended", "memory", "num_workers=0"))
    assert same(whole, batches(dls.train))


def kill_workers():
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)
        process.join()


def forget_dead_workers():
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    except RuntimeError as error:
        assert "DataLoader worker" in str(error)


def test_36_workers_that_died_between_epochs_are_replaced(photos):
    dls = loaders(photos, num_workers=1, bs=2)
    whole = batches(dls.train)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        kill_workers()
        assert same(whole, batches(dls.train))
    finally:
        forget_dead_workers()


def test_36_full_shared_memory_is_reported_explain_worker_error(photos):
    "Writing more than a limit fails in the worker, as on a full /dev/shm."
    dls = loaders(photos, num_workers=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(WorkerError) as caught:
            next(iter(dls.train))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert all(part in str(caught.value) for part in ("shared memory", "num_workers=0", "--shm-size"))


# other loaders


def test_augmented_in_order_is_what_training_would_see(photos):
    dls = loaders(photos, item_tfms=RandomResizedCrop(16))
    rows = {image.numpy().tobytes() for x, _ in batches(dls.train, 5) for image in x}
    loader = dls.train.in_order(augment=True, epoch=5)
    images = [image.numpy().tobytes() for x, _ in loader for image in x]
    assert set(images) == rows and loader.targets == dls.train.targets
    assert [i for _, y in loader for i in y.tolist()] == loader.targets


def test_loaders_describe_themselves(photos):
    dls = loaders(photos)
    assert repr(dls) == (
        f"DataLoaders: 24 images for training, 6 for validation; 2 classes (cat, dog); batches of 8 on {dls.device}"
    )
    assert repr(dls.train) == "BatchLoader: 24 images in 3 batches of 8, shuffled, augmented"
    assert repr(dls.valid) == "BatchLoader: 6 images in 1 batch of 16, in order"


@pytest.mark.parametrize("item_tfm", [Resize(24), Resize(24, "squish")])
def test_a_warm_cache_is_cut_in_whole_batches_and_no_image_is_looked_at_alone(photos, item_tfm, monkeypatch):
    cached, plain = (loaders(photos, item_tfms=item_tfm, cache=cache) for cache in (True, False))
    monkeypatch.setattr(PresizeCache, "__getitem__", lambda cache, i: pytest.fail("one image was asked for"))
    for side in ("train", "valid"):
        for (x, y), (same_x, same_y) in zip(getattr(cached, side), getattr(plain, side), strict=True):
            assert torch.equal(x, same_x) and torch.equal(y, same_y)


def test_without_a_validation_set_there_is_no_first_batch(image_loaders):
    folder = image_loaders().train.sources[0].parent.parent
    block = DataBlock(get_y=parent_label, splitter=lambda items: (list(range(len(items))), []))
    valid = block.dataloaders(folder, bs=8, cache=False, device="cpu").valid
    for call in (valid.one_batch, valid.show_batch):
        with pytest.raises(DataError, match=r"holds no images(.|\n)*RandomSplitter"):
            call()


# ---- batches on their way to a GPU


class Queue:
    """Stands in for a CUDA stream: notes what is done in which order."""

    def __init__(self, log):
        self.log = log

    def wait_stream(self, stream):
        self.log.append("wait for the copy")


def test_each_batch_is_copied_while_the_one_before_it_is_worked_on(photos, monkeypatch):
    dl, log = loaders(photos).train, []
    expected = batches(dl)
    monkeypatch.setattr(dl, "_copy_stream", lambda: Queue(log))
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext(log.append("copy")))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Queue(log))
    monkeypatch.setattr(
        torch.Tensor, "record_stream", lambda self, stream: log.append("keep until read"), raising=False
    )
    found = []
    for batch in dl:
        log.append("work")
        found.append(batch)
    finish = ["wait for the copy", "keep until read", "work"]
    assert len(expected) == 3 and log == ["copy", "copy", *finish, "copy", *finish, *finish]
    assert same(found, expected)


@pytest.mark.parametrize(("device", "pinned"), [("cpu", False), ("cuda", True), ("mps", False)])
def test_batches_for_cuda_are_read_into_pinned_memory(photos, device, pinned):
    dls = loaders(photos, device=device)
    assert [dl._workers.pin_memory for dl in (dls.train, dls.valid)] == [pinned, pinned]


def test_without_a_gpu_nothing_is_copied_ahead(photos):
    dl = loaders(photos, device="cpu").train
    assert dl._copy_stream() is None


def test_batches_are_finished_on_the_device_that_was_asked_for(photos):
    for x, y in loaders(photos, device="meta").train:  # "meta" has shapes and no numbers
        assert x.device.type == y.device.type == "meta" and x.shape[1:] == (3, 12, 12) and x.dtype == torch.float32
