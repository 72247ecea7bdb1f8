"""Compares the engine with torchvision, both in float32 on the CPU, on real pictures of several sizes.

The same detections are required, in number and class, with boxes within --box-tolerance pixels and scores within
--score-tolerance. Pictures reach both as the same pixels.

Where a candidate sits on a threshold (an overlap of 0.7000001, the 1000th best score), rounding decides, and no two
implementations agree, nor does torchvision with itself. So a detection that only one of both has is looked into: if
torchvision changes its mind about it when noise of 1e-5 (a four-hundredth of an 8-bit step) is added to the picture, it
is counted as borderline. More than --borderline of those, or one that isn't borderline, fail.
"""

import argparse
import os
import pathlib
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

import model_file
import reference
from engine import Engine, write_ppm

# Real pictures, several sizes: (folder below the data folder, pattern, how many), and sizes that some are scaled to.
SOURCES = [
    ("bccd/BCCD/JPEGImages", "*.jpg", 6),
    ("chula-rbc-12/Dataset", "*.jpg", 4),
    ("pbc/PBC_dataset_normal_DIB", "*/*.jpg", 5),
    ("txl-pbc/TXL_PBC/images/val", "*.*", 5),
]
RESIZED = {3: (1920, 1080), 8: (333, 517), 13: (97, 64), 18: (1024, 256)}

RANDOM_MODELS = [
    # backbone, FPN channels, head width, min side, max side, seeds
    ("resnet50", 256, 1024, 800, 1333, (1, 2, 3)),
    ("resnet18", 128, 512, 320, 533, (4, 5)),
    ("resnet34", 100, 200, 480, 640, (6,)),
]


def pictures(data, limit):
    paths = []
    for folder, pattern, count in SOURCES:
        found = sorted((data / folder).glob(pattern))
        paths += found[:: max(1, len(found) // count)][:count]
    result = []
    for index, path in enumerate(paths[:limit]):
        image = Image.open(path).convert("RGB")
        if index in RESIZED:
            image = image.resize(RESIZED[index], Image.BICUBIC)
        result.append(np.array(image))
    return result


def to_tensor(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def rows_of(output):
    labels, scores, boxes = output["labels"], output["scores"], output["boxes"]
    return [[int(l) - 1, float(s), *map(float, b)] for l, s, b in zip(labels, scores, boxes)]


def match(expected, found):
    """Pairs each expected detection with the nearest free one of its class; (pairs, left over in both)."""
    free = list(found)
    pairs, missing = [], []
    for row in expected:
        candidates = [other for other in free if other[0] == row[0]]
        nearest = min(candidates, key=lambda o: max(abs(a - b) for a, b in zip(o[2:], row[2:])), default=None)
        if nearest is None or max(abs(a - b) for a, b in zip(nearest[2:], row[2:])) > 1:
            missing.append(row)
        else:
            free.remove(nearest)
            pairs.append((row, nearest))
    return pairs, missing + free


def has(rows, row):
    return any(r[0] == row[0] and max(abs(a - b) for a, b in zip(r[2:], row[2:])) <= 1 for r in rows)


def split_by_noise(model, tensor, rows, expected):
    """(borderline rows, others)"""
    borderline, others = [], list(rows)
    generator = torch.Generator().manual_seed(1)
    for _ in range(12):
        if not others:
            break
        noise = (torch.rand(tensor.shape, generator=generator) - 0.5) * 2e-5
        noisy = rows_of(model([tensor + noise])[0])
        changed = [row for row in others if has(noisy, row) != has(expected, row)]
        borderline += changed
        others = [row for row in others if row not in changed]
    return borderline, others


@torch.no_grad()
def compare(name, model, model_path, images, arguments, folder):
    engine = Engine(arguments.program, model_path, arguments.threads)
    worst_box = worst_score = 0.0
    detections = unmatched = borderline = 0
    for index, pixels in enumerate(images):
        path = os.path.join(folder, "picture.ppm")
        write_ppm(path, pixels)
        found = engine.detect(path)["detections"]
        tensor = to_tensor(pixels)
        expected = rows_of(model([tensor])[0])
        pairs, odd = match(expected, found)
        undecided, odd = split_by_noise(model, tensor, odd, expected)
        borderline += len(undecided)
        detections += len(expected)
        unmatched += len(odd)
        for a, b in pairs:
            worst_score = max(worst_score, abs(a[1] - b[1]))
            worst_box = max(worst_box, *(abs(x - y) for x, y in zip(a[2:], b[2:])))
        for row in odd:
            where = "torchvision" if row in expected else "engine"
            print(f"  {name}, picture {index} {pixels.shape[1]}x{pixels.shape[0]}: only {where} has {row}")
    engine.close()
    allowed = max(2, arguments.borderline * detections)  # one swap is two: one of each
    good = unmatched == 0 and borderline <= allowed and worst_box <= arguments.box_tolerance and worst_score <= arguments.score_tolerance
    print(f"{name:36} {len(images):8} {detections:10} {borderline:10} {unmatched:9} {worst_box:12.2e} {worst_score:12.2e}  "
          f"{'same' if good else 'DIFFERENT'}", flush=True)
    if detections == 0:
        print(f"  {name}: nothing was detected, so nothing was compared")
    return good and detections > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the built detect_frames")
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder with bccd, txl-pbc, ...")
    parser.add_argument("--model", action="append", default=[], help="compare this model file instead of random ones")
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="one random model per architecture")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--box-tolerance", type=float, default=0.1, help="pixels of the frame")
    parser.add_argument("--score-tolerance", type=float, default=1e-3)
    parser.add_argument("--borderline", type=float, default=0.002, help="share of detections that may be borderline")
    parser.add_argument("--seed", type=int, help="only the random model with this seed")
    arguments = parser.parse_args()
    images = pictures(arguments.data, arguments.pictures)
    if not images:
        sys.exit(f"no pictures below {arguments.data}")
    sizes = sorted({f"{i.shape[1]}x{i.shape[0]}" for i in images})
    print(f"{len(images)} pictures: {', '.join(sizes)}")
    print(f"{'model':36} {'pictures':>8} {'detections':>10} {'borderline':>10} {'unmatched':>9} {'worst box/px':>12} "
          f"{'worst score':>12}")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.model:
            document, state = model_file.read(path)
            model = reference.build(document)
            problems = model.load_state_dict(state, strict=False)
            if problems.unexpected_keys or any("num_batches" not in k for k in problems.missing_keys):
                sys.exit(f"{path} doesn't fit torchvision: {problems}")
            good &= compare(pathlib.Path(path).name, model, path, images, arguments, folder)
        for backbone, channels, head, min_side, max_side, seeds in [] if arguments.model else RANDOM_MODELS:
            for seed in seeds[:1] if arguments.quick else seeds:
                if arguments.seed not in (None, seed):
                    continue
                document = reference.document(backbone, channels, head, 25, min_side, max_side)
                model = reference.randomise(reference.build(document), seed, to_tensor(images[0]))
                path = os.path.join(folder, "model.safetensors")
                model_file.write(path, document, model.state_dict())
                name = f"{backbone} FPN {channels} head {head} seed {seed}"
                good &= compare(name, model, path, images, arguments, folder)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
