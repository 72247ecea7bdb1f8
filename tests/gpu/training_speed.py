"""Training speed of smearscope-train against torchvision's reference loop on the same GPU: ResNet-50-FPN, all of it trained,
ordinary batch norm, batch 8, mixed precision in both (bf16 here, float16 with GradScaler there, as the reference loop has it),
the same JPEG files of 640x480, read, flipped and decoded by each one's own loader. They take turns in one run. Prints a table;
writes JSON with --json. Exit status 1: below the bar; 77: no GPU or no torchvision.

  training_speed.py --train build/gpu/training/smearscope-train [--seconds 160] [--json FILE]
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import torch
    import torchvision
    from torchvision.models.detection import fasterrcnn_resnet50_fpn
except ImportError as problem:
    print(f"skipped: {problem}")
    sys.exit(77)

CLASSES = ["wbc", "rbc", "platelet"]
# name, min side, max side of the resized image
WORKLOADS = [("1066x800", 800, 1333), ("640x480", 480, 640)]
BAR = 1.5  # times torchvision's images/s
REGIMEN = """name = "speed"
start = "random"
[network]
backbone = "resnet50"
min_side = {min_side}
max_side = {max_side}
[training]
epochs = 1000
batch_size = {batch}
learning_rate = 0.001
autocast = {autocast}
[augmentation]
horizontal_flip = true
vertical_flip = false
"""


def draw_field(random):
    """A field of cells: discs of a class's size and colour, and their boxes."""
    pixels = random.integers(215, 240, (480, 640, 3), dtype=np.uint8)
    y, x = np.mgrid[:480, :640]
    boxes = []
    for _ in range(30):
        kind = int(random.choice(3, p=[0.1, 0.8, 0.1]))
        radius = (45, 24, 9)[kind] * random.uniform(0.8, 1.2)
        cx, cy = random.uniform(radius, 640 - radius), random.uniform(radius, 480 - radius)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = ((110, 70, 160), (215, 130, 130), (150, 90, 170))[kind]
        boxes.append((kind, [round(v, 2) for v in (cx - radius, cy - radius, 2 * radius, 2 * radius)]))
    return pixels, boxes


def write_corpus(folder, count):
    """In the form of docs/corpus-format.md, as far as training reads it."""
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    random = np.random.default_rng(1)
    images, annotations = [], []
    for number in range(1, count + 1):
        pixels, boxes = draw_field(random)
        name = f"{number:06}.jpg"
        jpeg = torchvision.io.encode_jpeg(torch.from_numpy(pixels).permute(2, 0, 1).contiguous(), quality=90)
        (folder / "images" / name).write_bytes(jpeg.numpy().tobytes())
        images.append({"id": number, "file_name": name, "width": 640, "height": 480, "source": "drawn",
                       "source_file": name, "neg_category_ids": [], "not_exhaustive_category_ids": [],
                       "ignore_regions": []})
        for kind, box in boxes:
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": kind + 1, "bbox": box,
                                "area": box[2] * box[3], "iscrowd": 0, "segmentation": [], "label": CLASSES[kind],
                                "box_origin": "labelled"})
    categories = [{"id": i + 1, "name": name, "supercategory": "cell", "image_count": count, "instance_count": 1,
                   "frequency": "f"} for i, name in enumerate(CLASSES)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations" / "train.json").write_text(json.dumps(document))
    return document


def smearscope(options, folder, min_side, max_side, seconds):
    """images/s of each row of the log but the first, in which the GPU warms up."""
    regimen, run = folder / "speed.toml", folder / "run"
    subprocess.run(["rm", "-rf", str(run)], check=True)
    regimen.write_text(REGIMEN.format(min_side=min_side, max_side=max_side, batch=options.batch,
                                      autocast="true" if options.amp else "false"))
    corpus = f"{folder / 'corpus'}:1000"  # each picture a thousand times, so that no epoch ends, which writes the model
    command = [str(options.train), "train", "--corpus", corpus, "--regimen", str(regimen), "--output",
               str(run), "--device", options.device, "--max-minutes", str(seconds / 60), "--checkpoint-minutes", "1000"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"smearscope-train failed: {done.stderr[-2000:]}")
    with open(run / "train-log.csv", newline="") as log:
        rows = [float(row["images_per_second"]) for row in csv.DictReader(log)]
    return rows[1:] or rows


class Fields(torch.utils.data.Dataset):
    def __init__(self, folder, document, times):
        self.folder, self.images, self.times = folder, document["images"], times
        self.boxes = {image["id"]: [] for image in self.images}
        for a in document["annotations"]:
            x, y, width, height = a["bbox"]
            self.boxes[a["image_id"]].append([x, y, x + width, y + height, a["category_id"]])

    def __len__(self):
        return len(self.images) * self.times

    def __getitem__(self, index):
        image = self.images[index % len(self.images)]
        pixels = torchvision.io.read_image(str(self.folder / "images" / image["file_name"])).float() / 255
        rows = torch.tensor(self.boxes[image["id"]])
        boxes, labels = rows[:, :4], rows[:, 4].long()
        if torch.rand(1) < 0.5:
            pixels = pixels.flip(-1)
            boxes = torch.stack([640 - boxes[:, 2], boxes[:, 1], 640 - boxes[:, 0], boxes[:, 3]], 1)
        return pixels, {"boxes": boxes, "labels": labels}


def reference(options, folder, document, min_side, max_side, seconds):
    """images/s over stretches of 20 steps, of torchvision's way to train: one epoch's loop of its reference scripts."""
    device = torch.device(options.device)
    model = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=len(CLASSES) + 1, min_size=min_side,
                                    max_size=max_side).to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, weight_decay=1e-4)
    scaler = torch.amp.GradScaler(device.type) if options.amp and device.type == "cuda" else None
    data = Fields(folder / "corpus", document, 100000)
    loader = torch.utils.data.DataLoader(data, options.batch, shuffle=False, num_workers=options.workers,
                                         collate_fn=lambda batch: tuple(zip(*batch)))
    rates, steps, begun, start = [], 0, time.perf_counter(), time.perf_counter()
    for images, targets in loader:
        images = [image.to(device) for image in images]
        targets = [{name: value.to(device) for name, value in target.items()} for target in targets]
        with torch.autocast(device.type, torch.float16 if scaler else torch.bfloat16, enabled=options.amp):
            losses = sum(model(images, targets).values())
        if not torch.isfinite(losses).item():
            sys.exit("torchvision's loss is not finite")
        optimizer.zero_grad()
        if scaler:
            scaler.scale(losses).backward()
            scaler.step(optimizer)
            scaler.update()
        else:
            losses.backward()
            optimizer.step()
        steps += 1
        if steps % options.stretch == 0:
            now = time.perf_counter()
            rates.append(options.stretch * options.batch / (now - start))
            start = now
        if time.perf_counter() - begun > seconds:
            break
    return rates[1:] or rates


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=pathlib.Path, required=True, help="smearscope-train")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=160, help="for all together")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--workers", type=int, default=8, help="of torchvision's loader")
    parser.add_argument("--stretch", type=int, default=20, help="steps that a figure of torchvision is the mean of")
    parser.add_argument("--sides", type=int, nargs=2, help="min and max side of one other workload")
    parser.add_argument("--no-amp", dest="amp", action="store_false")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    if options.device != "cpu" and not torch.cuda.is_available():
        print("skipped: torch sees no GPU")
        sys.exit(77)
    gpu = torch.cuda.get_device_name() if options.device != "cpu" else "CPU"
    machine = {"device": gpu, "cores": os.cpu_count(), "torch": torch.__version__, "torchvision": torchvision.__version__,
               "batch": options.batch, "mixed precision": options.amp}
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    workloads = [("given", *options.sides)] if options.sides else WORKLOADS
    seconds = options.seconds / (2 * options.rounds * len(workloads))
    results, good = {}, True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        document = write_corpus(folder / "corpus", 64)
        for workload, min_side, max_side in workloads:
            rates = {"smearscope-train": [], "torchvision": []}
            for _ in range(options.rounds):
                rates["smearscope-train"] += smearscope(options, folder, min_side, max_side, seconds)
                rates["torchvision"] += reference(options, folder, document, min_side, max_side, seconds)
            medians = {way: statistics.median(values) for way, values in rates.items() if values}
            if len(medians) < 2:
                sys.exit(f"{workload}: no figure of both in {seconds:.0f} s each; give more --seconds")
            share = medians["smearscope-train"] / medians["torchvision"]
            good &= share >= BAR
            results[workload] = {"images_per_second": medians, "times_torchvision": share, "all": rates}
            print(f"{workload:10} smearscope-train {medians['smearscope-train']:8.1f} images/s, torchvision "
                  f"{medians['torchvision']:8.1f}: {share:.2f} times (bar {BAR}: {'met' if share >= BAR else 'MISSED'})",
                  flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
