"""Speed of smearscope-train against torchvision's reference loop (references/detection/engine.py): Faster R-CNN
ResNet-50-FPN from a random start, all layers training, same images, batch, optimiser and threads, on the CPU.

Both run in turn (A B A B) in one session; each run reads its images from files, and its time is from the first step to
the end of the last, warm-up included. torchvision's loader has as many workers as torch has threads; both loaders are also timed
alone.

  SMEARSCOPE_PYTHON ... compare_training.py --build build --corpus CORPUS [--images 16] [--batch 2] [--side 480]
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import torch
    import torchvision
    from PIL import Image
    from torchvision.transforms import functional
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

REGIMEN = """
name = "speed"
[network]
min_side = {side}
max_side = {longest}
[training]
epochs = 1
batch_size = {batch}
learning_rate = 0.001
autocast = {autocast}
[augmentation]
horizontal_flip = true
vertical_flip = false
"""


def small_corpus(corpus, count, folder):
    """The first `count` labelled images of the corpus's part train, as a corpus of their own."""
    document = json.loads((corpus / "annotations" / "train.json").read_text())
    by_image = {}
    for annotation in document["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    step = max(1, len(document["images"]) // count)
    images = [image for image in document["images"] if image["id"] in by_image][::step][:count]
    document["images"] = images
    document["annotations"] = [a for image in images for a in by_image[image["id"]]]
    (folder / "annotations").mkdir(parents=True)
    (folder / "images").mkdir()
    (folder / "annotations" / "train.json").write_text(json.dumps(document))
    for image in images:
        shutil.copy(corpus / "images" / image["file_name"], folder / "images")
    return document


class Dataset(torch.utils.data.Dataset):
    """What references/detection's CocoDetection, ConvertCocoPolysToMask and RandomHorizontalFlip make of a corpus."""

    def __init__(self, folder, document):
        self.folder, self.images, self.boxes = folder, document["images"], {}
        for annotation in document["annotations"]:
            self.boxes.setdefault(annotation["image_id"], []).append(annotation)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        picture = functional.to_tensor(Image.open(self.folder / "images" / image["file_name"]).convert("RGB"))
        rows = self.boxes[image["id"]]
        boxes = torch.tensor([row["bbox"] for row in rows], dtype=torch.float32)
        boxes[:, 2:] += boxes[:, :2]
        if torch.rand(1) < 0.5:
            picture = picture.flip(2)
            boxes[:, [0, 2]] = picture.shape[2] - boxes[:, [2, 0]]
        return picture, {"boxes": boxes, "labels": torch.tensor([row["category_id"] for row in rows])}


def collate(batch):
    return tuple(zip(*batch))


def loader_of(dataset, options):
    return torch.utils.data.DataLoader(dataset, batch_size=options.batch, shuffle=True, num_workers=options.threads,
                                       collate_fn=collate)


def torchvision_rate(dataset, options, classes, autocast):
    model = torchvision.models.detection.fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=classes + 1, min_size=options.side, max_size=options.longest,
        trainable_backbone_layers=5)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4)
    model.train()
    start = time.perf_counter()
    for images, targets in loader_of(dataset, options):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            losses = sum(model(list(images), list(targets)).values())
        assert torch.isfinite(losses)
        optimiser.zero_grad()
        losses.backward()
        optimiser.step()
    return len(dataset) / (time.perf_counter() - start)


def our_rate(folder, scratch, options, autocast):
    output = scratch / "run"
    shutil.rmtree(output, ignore_errors=True)
    program = options.build / "training" / "smearscope-train"
    subprocess.run([program, "train", "--corpus", folder, "--regimen", write_regimen(scratch, options, autocast), "--output",
                    output, "--threads", str(options.threads)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(output / "train-log.csv") as log:
        last = list(csv.DictReader(log))[-1]
    return float(last["images_per_second"])


def write_regimen(scratch, options, autocast):
    regimen = scratch / "speed.toml"
    regimen.write_text(REGIMEN.format(side=options.side, longest=options.longest, batch=options.batch,
                                      autocast=str(autocast).lower()))
    return regimen


def loader_rates(dataset, folder, scratch, options):
    program = options.build / "tests" / "bench" / "loader_speed"
    batches = len(dataset) // options.batch
    ours = float(subprocess.run([program, write_regimen(scratch, options, False), folder, str(batches), str(options.threads)],
                                check=True, capture_output=True, text=True).stdout)
    start = time.perf_counter()
    images = sum(len(batch) for batch, _ in loader_of(dataset, options))
    return ours, images / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="as smearscope-corpus made it")
    parser.add_argument("--images", type=int, default=16, help="a run; at most 20 batches, the log's interval")
    parser.add_argument("--loader-images", type=int, default=256)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--side", type=int, default=480)
    parser.add_argument("--longest", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--autocast", action="store_true", help="bf16 in both")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rates = {"smearscope-train": [], "torchvision": []}
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        document = small_corpus(options.corpus, options.images, scratch / "corpus")
        dataset = Dataset(scratch / "corpus", document)
        for _ in range(options.rounds):
            rates["smearscope-train"].append(our_rate(scratch / "corpus", scratch, options, options.autocast))
            rates["torchvision"].append(
                torchvision_rate(dataset, options, len(document["categories"]), options.autocast))
        document = small_corpus(options.corpus, options.loader_images, scratch / "more")
        loaders = loader_rates(Dataset(scratch / "more", document), scratch / "more", scratch, options)
    print(f"torchvision {torchvision.__version__}, torch {torch.__version__}; {options.threads} threads, load "
          f"{os.getloadavg()[0]:.1f}")
    print(f"ResNet-50-FPN, shorter side {options.side}, batch {options.batch}, {'bf16' if options.autocast else 'f32'}, "
          f"{options.rounds} runs of {options.images} images each, in turn")
    print(f"{'images/s':18} {'median':>8} {'best':>8} {'loader alone':>14}")
    for (name, values), loader in zip(rates.items(), loaders):
        print(f"{name:18} {statistics.median(values):8.3f} {max(values):8.3f} {loader:14.1f}")
    ours, theirs = (statistics.median(values) for values in rates.values())
    print(f"smearscope-train makes {ours / theirs:.2f} of torchvision's images/s; its loader {loaders[0] / ours:.0f} of its network's")


if __name__ == "__main__":
    main()
