"""Losses, gradients and detections of the LibTorch network (network_gradients) against torchvision's.

Same weights, pictures and targets; every candidate is sampled, so that nothing is random. A gradient's difference is
the norm of the difference over the norm of torchvision's, per parameter; the largest is shown.

Gradients are held to the limit in float64. In float32 rounding decides on which side of zero some ReLU inputs fall, and
torchvision's own gradients are not that close to their float64 values ("own f32" in the table); ours in float32 may be
at most FLOAT32_FACTOR times as far from them. Exit status 0 if all are within the limits.
"""

import argparse
import copy
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "parity"))
import model_file  # noqa: E402
import reference  # noqa: E402

LOSS_LIMIT = GRADIENT_LIMIT = 1e-4
FLOAT32_FACTOR = 3
BOX_LIMIT, SCORE_LIMIT = 0.1, 1e-3  # pixels, probability
EVERYTHING = 100_000_000  # more samples than there are candidates
LOSSES = {
    "objectness": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "classification": "loss_classifier",
    "box": "loss_box_reg",
}


def cases(quick):
    small = dict(fpn_channels=64, head_width=128, classes=3, min_side=192)
    yield "resnet18, FPN 64, 3 classes", reference.document("resnet18", **small), False
    yield "resnet18, frozen batch norm", reference.document("resnet18", **small), True
    if not quick:
        yield "resnet34, FPN 128, 5 classes", reference.document("resnet34", 128, 256, 5, 192), False
        yield "resnet50, FPN 256, 25 classes", reference.document("resnet50", min_side=256), False
        yield "resnet50, frozen batch norm", reference.document("resnet50", min_side=256), True


def pictures(data, count):
    """The first pictures of the folder, cut to different sizes."""
    files = sorted(Path(data, "bccd").rglob("*.jp*g"))[:count]
    if len(files) < count:
        sys.exit(f"{data}/bccd has fewer than {count} JPEG pictures")
    images = []
    for i, file in enumerate(files):
        pixels = torch.from_numpy(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1).float() / 255
        images.append(pixels[:, : 480 - 37 * i, : 640 - 90 * i].contiguous())
    return images


def random_targets(images, classes, generator):
    """Boxes of cell-like sizes; the last picture has none."""
    targets = []
    for i, image in enumerate(images):
        count = 0 if i == len(images) - 1 else 12
        size = 20 + 120 * torch.rand(count, 2, generator=generator)
        room = torch.tensor([image.shape[2], image.shape[1]]) - size
        corner = torch.rand(count, 2, generator=generator) * room
        labels = torch.randint(1, classes + 1, (count,), generator=generator)
        targets.append({"boxes": torch.cat([corner, corner + size], 1), "labels": labels})
    return targets


def decode_in_float32(coder):
    """Proposals and detections are decoded in float32 whatever the network's dtype, as ours are."""
    decode = coder.decode
    coder.decode = lambda deltas, boxes: decode(deltas.float(), [b.float() for b in boxes]).to(deltas.dtype)


def prepare(model, frozen):
    """Training mode, with everything sampled."""
    model.train()
    for norm in (m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d) and frozen):
        norm.eval().requires_grad_(False)
    model.rpn.fg_bg_sampler.batch_size_per_image = EVERYTHING
    model.roi_heads.fg_bg_sampler.batch_size_per_image = EVERYTHING


def torchvision_result(model, images, targets, dtype):
    """(losses, gradients) of a copy of the model in `dtype`."""
    model = copy.deepcopy(model).to(dtype)
    decode_in_float32(model.rpn.box_coder)
    targets = [{"boxes": t["boxes"].to(dtype), "labels": t["labels"]} for t in targets]
    losses = model([image.to(dtype) for image in images], targets)
    sum(losses.values()).backward()
    gradients = {name: p.grad.float() for name, p in model.named_parameters() if p.grad is not None}
    return {name: float(losses[theirs].detach()) for name, theirs in LOSSES.items()}, gradients


@torch.no_grad()
def torchvision_detections(model, images):
    """In float64: the engine's oracle compares detections in float32."""
    model = copy.deepcopy(model).double().eval()
    decode_in_float32(model.rpn.box_coder)
    decode_in_float32(model.roi_heads.box_coder)
    return model([image.double() for image in images])


def our_result(program, folder, dtype, frozen):
    paths = [str(Path(folder, name)) for name in ("model.safetensors", "input.safetensors", "output.safetensors")]
    # LD_LIBRARY_PATH is for this interpreter's LibTorch; the program brings its own.
    environment = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    subprocess.run([program, *paths, dtype, "frozen" if frozen else "ordinary"], check=True, env=environment)
    return load_file(paths[2])


def write_input(folder, document, model, images, targets):
    model_file.write(Path(folder, "model.safetensors"), document, model.state_dict())
    tensors = {f"image.{i}": image for i, image in enumerate(images)}
    for i, target in enumerate(targets):
        tensors |= {f"{key}.{i}": value.contiguous() for key, value in target.items()}
    save_file(tensors, Path(folder, "input.safetensors"))


def loss_difference(ours, losses):
    return max(abs(float(ours[f"loss.{key}"]) - value) / abs(value) for key, value in losses.items())


def gradient_difference(gradients, reference_gradients):
    """(largest relative difference, its parameter); infinite where the parameters are not the same."""
    if set(gradients) != set(reference_gradients):
        return float("inf"), "(other parameters)"
    errors = {name: float((gradients[name] - g).norm() / g.norm()) for name, g in reference_gradients.items()}
    worst = max(errors, key=errors.get)
    return errors[worst], worst


def gradients_of(tensors):
    prefix = "gradient."
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}


def detections_agree(ours, theirs):
    """Each of torchvision's detections has one of ours of its class, close by, with its score; and there are as many."""
    for i, image in enumerate(theirs):
        boxes, scores, labels = (ours[f"found.{i}.{key}"] for key in ("boxes", "scores", "labels"))
        if len(boxes) != len(image["boxes"]):
            return False
        for box, score, label in zip(image["boxes"], image["scores"], image["labels"]):
            close = (boxes - box).abs().amax(1) <= BOX_LIMIT
            if not bool((close & ((scores - score).abs() <= SCORE_LIMIT) & (labels == label)).any()):
                return False
    return True


def compare(name, document, frozen, options, folder):
    images = pictures(options.data, 3)
    model = reference.randomise(reference.build(document), options.seed, images[0])
    targets = random_targets(images, len(document["classes"]), torch.Generator().manual_seed(options.seed))
    write_input(folder, document, model, images, targets)
    found = torchvision_detections(model, images)
    prepare(model, frozen)
    losses, gradients = torchvision_result(model, images, targets, torch.float64)
    own32 = gradient_difference(torchvision_result(model, images, targets, torch.float32)[1], gradients)[0]
    ours = our_result(options.program, folder, "f32", frozen)
    loss32, gradient32 = loss_difference(ours, losses), gradient_difference(gradients_of(ours), gradients)[0]
    ours = our_result(options.program, folder, "f64", frozen)
    same = detections_agree(ours, found)
    loss64, (gradient64, worst) = loss_difference(ours, losses), gradient_difference(gradients_of(ours), gradients)

    passed = max(loss32, loss64) <= LOSS_LIMIT and gradient64 <= GRADIENT_LIMIT and same
    passed = passed and gradient32 <= max(GRADIENT_LIMIT, FLOAT32_FACTOR * own32)
    print(
        f"{name:31} {sum(losses.values()):7.3f} {loss64:8.1e} {loss32:8.1e} {len(gradients):6d} {gradient64:8.1e} "
        f"{gradient32:8.1e} {own32:8.1e} {sum(len(i['boxes']) for i in found):6d} {'same' if same else 'DIFFER':7}"
        f"{'pass' if passed else 'FAIL'}   {worst}",
        flush=True,
    )
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="ResNet-18 alone")
    options = parser.parse_args()
    print(f"{'':31} {'':7} {'losses differ by':>17} {'':6} {'gradients differ by':>26} {'detections':>11}")
    print(
        f"{'network':31} {'loss':>7} {'f64':>8} {'f32':>8} {'params':>6} {'f64':>8} {'f32':>8} {'own f32':>8} {'':11}"
        f"{'':9} largest in f64"
    )
    with tempfile.TemporaryDirectory() as folder:
        results = [compare(*case, options, folder) for case in cases(options.quick)]
    print(f"{sum(results)} of {len(results)} pass")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
