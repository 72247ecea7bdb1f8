"""The loss curve of 200 training steps (loss_curve) against torchvision's with torch.optim.SGD.

Same weights, order of pictures, labels and learning rate; every candidate is sampled, so that nothing is random. Rounding
makes single steps drift apart, as it does for torchvision with itself in another number of threads; what must agree is the
mean of every 20 steps, within 2 %. Exit status 0 if all do.
"""

import argparse
import copy
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

import compare
import reference

LIMIT = 0.02
WINDOW = 20
CLASSES = ["WBC", "RBC", "Platelets"]


def labelled_pictures(data, count):
    """The first pictures of BCCD with their boxes."""
    images, targets = [], []
    for file in sorted(Path(data, "bccd").rglob("*.xml"))[:count]:
        boxes, labels = [], []
        for item in ElementTree.parse(file).iter("object"):
            box = [float(item.find("bndbox/" + side).text) for side in ("xmin", "ymin", "xmax", "ymax")]
            if box[2] > box[0] and box[3] > box[1]:
                boxes.append(box)
                labels.append(CLASSES.index(item.find("name").text) + 1)
        picture = next(Path(data, "bccd").rglob(file.stem + ".jpg"))
        pixels = torch.from_numpy(np.array(Image.open(picture).convert("RGB"))).permute(2, 0, 1).float() / 255
        images.append(pixels.contiguous())
        targets.append({"boxes": torch.tensor(boxes), "labels": torch.tensor(labels)})
    return images, targets


def torchvision_losses(model, images, targets, options):
    model = copy.deepcopy(model)
    compare.prepare(model, frozen=False)
    optimiser = torch.optim.SGD(model.parameters(), lr=options.rate, momentum=0.9, weight_decay=1e-4)
    losses = []
    for step in range(options.steps):
        chosen = [(step * options.batch + i) % len(images) for i in range(options.batch)]
        loss = sum(model([images[i] for i in chosen], [targets[i] for i in chosen]).values())
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return losses


def our_losses(model, document, images, targets, options, folder):
    compare.write_input(folder, document, model, images, targets)
    paths = [str(Path(folder, name)) for name in ("model.safetensors", "input.safetensors", "output.safetensors")]
    environment = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    numbers = [str(options.steps), str(options.batch), str(options.rate)]
    subprocess.run([options.program, *paths, *numbers], check=True, env=environment)
    return load_file(paths[2])["losses"].tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--pictures", type=int, default=16)
    options = parser.parse_args()
    images, targets = labelled_pictures(options.data, options.pictures)
    document = reference.document("resnet18", fpn_channels=64, head_width=64, classes=3, min_side=96)
    model = reference.randomise(reference.build(document), 1, images[0])
    with tempfile.TemporaryDirectory() as folder:
        ours = our_losses(model, document, images, targets, options, folder)
    theirs = torchvision_losses(model, images, targets, options)
    print(f"{'steps':>9} {'torchvision':>12} {'ours':>9} {'difference':>11}")
    worst = 0.0
    for first in range(0, options.steps, WINDOW):
        a, b = np.mean(theirs[first : first + WINDOW]), np.mean(ours[first : first + WINDOW])
        difference = abs(a - b) / a
        worst = max(worst, difference)
        print(f"{first + 1:4d}-{min(first + WINDOW, options.steps):<4d} {a:12.4f} {b:9.4f} {100 * difference:9.2f} %")
    passed = worst <= LIMIT
    print(f"largest difference {100 * worst:.2f} % (limit {100 * LIMIT:.0f} %): {'pass' if passed else 'FAIL'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
