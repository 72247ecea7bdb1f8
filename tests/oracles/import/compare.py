"""Checkpoints written by PyTorch, imported, against the networks that they were written from.

Every tensor must come back bit for bit (narrower and wider floats as their nearest float32), the engine must detect
what torchvision detects, and what is no such checkpoint must be refused with one line, with nothing of it run.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image

PARITY = Path(__file__).resolve().parent.parent / "parity"
sys.path.insert(0, str(PARITY))
import model_file  # noqa: E402
from engine import Engine, write_ppm  # noqa: E402

import checkpoints as c  # noqa: E402
import refused  # noqa: E402
import trained  # noqa: E402

specification = importlib.util.spec_from_file_location("parity_compare", PARITY / "compare.py")
parity = importlib.util.module_from_spec(specification)
specification.loader.exec_module(parity)

CLASSES = ["wbc", "rbc", "platelet"]
COCO = 90
BOX_TOLERANCE, SCORE_TOLERANCE = 0.1, 1e-3  # pixels, probability

# name, backbone, classes, epsilon of frozen batch norms (None: ordinary ones), what is saved, how, options, detections
# are compared too
DETECTORS = [
    ("resnet50, COCO's classes", "resnet50", COCO, None, c.plain, c.save_zip, [], True),
    ("resnet50, frozen as COCO_V1", "resnet50", COCO, 0.0, c.old_names, c.save_legacy, [], True),
    ("resnet50, frozen, training's", "resnet50", 3, 1e-5, c.training_checkpoint, c.save_zip, [], True),
    ("resnet34, parallel", "resnet34", 3, None, c.data_parallel, c.save_legacy, [], True),
    ("resnet18, frozen, said", "resnet18", 1, 0.0, c.plain, c.save_zip, ["--batch-norm-eps", "0"], True),
    ("resnet18, training's, legacy", "resnet18", 3, None, c.training_checkpoint, c.save_legacy, [], False),
    ("resnet18, compiled, parallel", "resnet18", 25, None, c.compiled_parallel, c.save_zip, [], False),
    ("resnet18, averaged", "resnet18", 3, None, c.averaged, c.save_zip, [], False),
    ("resnet18, parameters", "resnet18", 3, None, c.parameters, c.save_zip, [], False),
    ("resnet18, float16", "resnet18", 3, None, c.in_dtype(torch.float16), c.save_zip, [], False),
    ("resnet18, bfloat16", "resnet18", 3, None, c.in_dtype(torch.bfloat16), c.save_zip, [], False),
    ("resnet18, float64", "resnet18", 3, None, c.in_dtype(torch.float64), c.save_legacy, [], False),
    ("resnet18, views", "resnet18", 3, None, c.views, c.save_zip, [], False),
    ("resnet18, views, legacy", "resnet18", 3, None, c.views, c.save_legacy, [], False),
    ("resnet18, shared storage", "resnet18", 3, None, c.shared, c.save_zip, [], False),
    ("resnet18, shared, legacy", "resnet18", 3, None, c.shared, c.save_legacy, [], False),
    ("resnet18, pickle protocol 4", "resnet18", 3, None, c.training_checkpoint, c.save_protocol_4, [], False),
    ("resnet18, no checksums", "resnet18", 3, None, c.plain, c.save_without_checksums, [], False),
    ("resnet18, PyTorch 0.3's", "resnet18", 3, 1e-5, c.old_names, c.save_old, [], False),
]
BACKBONES = [
    ("resnet18 alone", "resnet18", c.plain, c.save_zip),
    ("resnet34 alone, training's", "resnet34", c.training_checkpoint, c.save_zip),
    ("resnet50 alone, parallel", "resnet50", c.data_parallel, c.save_legacy),
    ("resnet18 alone, PyTorch 0.3's", "resnet18", c.plain, c.save_old),
]


class Programs:
    def __init__(self, options, folder):
        self.train, self.detect = options.train, options.detect
        self.folder = Path(folder)
        # LD_LIBRARY_PATH is for this interpreter's LibTorch; the program brings its own.
        self.environment = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}

    def run(self, *words):
        return subprocess.run(
            [self.train, *map(str, words)], capture_output=True, text=True, env=self.environment, timeout=600
        )

    def imported(self, checkpoint, *words):
        """(document, tensors, what was said)"""
        output = self.folder / "model.safetensors"
        output.unlink(missing_ok=True)
        result = self.run("import", checkpoint, "--output", output, *words)
        if result.returncode != 0:
            sys.exit(f"import failed: {result.stderr}")
        return *model_file.read(output), result.stdout


def as_f32(state):
    return {k: v.detach().float() for k, v in state.items() if not k.endswith("num_batches_tracked")}


def same_bits(a, b):
    return a.shape == b.shape and torch.equal(a.contiguous().view(torch.int32), b.contiguous().view(torch.int32))


def different_tensors(ours, theirs):
    names = {name for name in set(ours) & set(theirs) if not same_bits(ours[name], theirs[name])}
    return sorted(names | (set(ours) ^ set(theirs)))


@torch.no_grad()
def detections_differ(programs, model, images):
    """(how many of torchvision's detections, what is wrong)"""
    engine = Engine(programs.detect, programs.folder / "model.safetensors")
    count, problems = 0, []
    for index, pixels in enumerate(images):
        write_ppm(programs.folder / "picture.ppm", pixels)
        found = engine.detect(programs.folder / "picture.ppm")["detections"]
        tensor = parity.to_tensor(pixels)
        expected = parity.rows_of(model([tensor])[0])
        pairs, odd = parity.match(expected, found)
        _, odd = parity.split_by_noise(model, tensor, odd, expected)
        count += len(expected)
        box = max((abs(x - y) for a, b in pairs for x, y in zip(a[2:], b[2:])), default=0)
        score = max((abs(a[1] - b[1]) for a, b in pairs), default=0)
        if odd or box > BOX_TOLERANCE or score > SCORE_TOLERANCE:
            problems.append(f"picture {index}: {len(odd)} unmatched, boxes {box:.2g} px, scores {score:.2g}")
    engine.close()
    return count, problems + ([] if count else ["nothing was detected"])


def check_document(document, model, classes, frozen_eps):
    problems = []
    if document["architecture"]["batch_norm_eps"] != (1e-5 if frozen_eps is None else frozen_eps):
        problems.append(f"epsilon {document['architecture']['batch_norm_eps']}")
    if document["transform"]["min_side"] != model.transform.min_size[0] or not document["created_by"]:
        problems.append("document")
    if classes == COCO:
        names = torchvision.models.detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"][1:]
        if [n for n in document["classes"] if not n.startswith("N/A")] != [n for n in names if n != "N/A"] or any(
            (a == "N/A") != b.startswith("N/A") for a, b in zip(names, document["classes"])
        ):
            problems.append("COCO's names")
    elif document["classes"] != CLASSES[:classes] and len(document["classes"]) != classes:
        problems.append(f"classes {document['classes']}")
    return problems


@torch.no_grad()
def compare_detector(programs, images, case):
    name, backbone, classes, frozen_eps, wrap, save, words, detects = case
    model = c.random_detector(backbone, classes, 1, parity.to_tensor(images[0]), frozen_eps)
    model.rpn.head.conv[0][0].bias.fill_(0.05)
    path = programs.folder / "checkpoint.pth"
    saved = wrap(model.state_dict())
    save(saved, path)
    if save is c.save_old:  # PyTorch itself still reads it
        read = torch.load(path, weights_only=False)
        assert all(torch.equal(read[k], v) for k, v in saved.items())
    names = ["--classes", ",".join(CLASSES)] if classes == 3 else []
    document, tensors, _ = programs.imported(path, *names, *words)
    state = saved if wrap in NARROWED else model.state_dict()
    different = different_tensors(tensors, as_f32(state))
    problems = [f"{len(different)} tensors differ, {different[0]} first"] if different else []
    problems += check_document(document, model, classes, frozen_eps)
    count = 0
    if detects:
        count, wrong = detections_differ(programs, model, images)
        problems += wrong
    return report(name, path, len(tensors), count, problems)


NARROWED = [case[4] for case in DETECTORS if "float" in case[0]]


def check_random_part(ours, theirs):
    """Initial values of the same spread as torchvision's, within five standard errors."""
    problems = []
    for name, value in ours.items():
        a, b = float(value.std()), float(theirs[name].std())
        tolerance = 5 / value.numel() ** 0.5
        if (b == 0) != (a == 0) or abs(a - b) > tolerance * b:
            problems.append(f"{name} has a spread of {a:.3g}, torchvision's {b:.3g}")
    return problems


def compare_backbone(programs, images, case):
    name, backbone, wrap, save = case
    torch.manual_seed(2)
    model = getattr(torchvision.models, backbone)(weights=None)
    path = programs.folder / "checkpoint.pth"
    save(wrap(model.state_dict()), path)
    document, tensors, said = programs.imported(path, "--classes", ",".join(CLASSES))
    body = {f"backbone.body.{k}": v for k, v in as_f32(model.state_dict()).items() if not k.startswith("fc.")}
    rest = {k: v for k, v in tensors.items() if k not in body}
    different = different_tensors({k: tensors[k] for k in body}, body)
    problems = [f"{len(different)} tensors differ, {different[0]} first"] if different else []
    problems += check_random_part(rest, as_f32(c.detector(backbone, 3, True).state_dict()))
    if "made anew with random values: FPN, RPN, RPN predictor, box head, box predictor" not in said:
        problems.append(f"said: {said}")
    if document["classes"] != CLASSES or document["architecture"]["batch_norm_eps"] != 1e-5:
        problems.append("document")
    engine = Engine(programs.detect, programs.folder / "model.safetensors")
    write_ppm(programs.folder / "picture.ppm", images[0])
    engine.detect(programs.folder / "picture.ppm")
    engine.close()
    return report(name, path, len(body), 0, problems)


def compare_other_classes(programs):
    """With other classes the box predictor alone is made anew."""
    model = c.detector("resnet18", 25, False)
    path = programs.folder / "checkpoint.pth"
    torch.save(model.state_dict(), path)
    _, tensors, said = programs.imported(path, "--classes", ",".join(CLASSES))
    kept = {k: v for k, v in as_f32(model.state_dict()).items() if "box_predictor" not in k}
    different = different_tensors({k: v for k, v in tensors.items() if "box_predictor" not in k}, kept)
    problems = [f"{len(different)} tensors differ"] if different else []
    made = {k: v for k, v in tensors.items() if "box_predictor" in k}
    problems += check_random_part(made, as_f32(c.detector("resnet18", 3, False).state_dict()))
    if "made anew with random values: box predictor (classes 3, not 25)" not in said:
        problems.append(f"said: {said}")
    _, again, _ = programs.imported(path, "--classes", ",".join(CLASSES))
    _, other, _ = programs.imported(path, "--classes", ",".join(CLASSES), "--seed", "2")
    if different_tensors(tensors, again) or not different_tensors(tensors, other):
        problems.append("the seed does not decide")
    return report("resnet18, other classes", path, len(kept), 0, problems)


def report(name, path, tensors, detections, problems):
    size = f"{path.stat().st_size / 1e6:.0f} MB, {tensors} tensors" if path else ""
    found = f"{detections} detections" if detections else ""
    print(f"{name:38} {size:>20} {found:>14}  {'as it should be' if not problems else 'WRONG'}", flush=True)
    for problem in problems:
        print(f"  {problem}")
    return not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", required=True, help="the built smearscope-train")
    parser.add_argument("--detect", required=True, help="the built detect_frames")
    parser.add_argument("--data", required=True, type=Path, help="folder with bccd, ...")
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one case of each kind")
    options = parser.parse_args()
    files = sorted((options.data / "bccd").rglob("*.jp*g"))[: options.pictures]
    images = [np.array(Image.open(file).convert("RGB")) for file in files]
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}")
    detectors = [DETECTORS[1], DETECTORS[12], DETECTORS[5]] if options.quick else DETECTORS
    with tempfile.TemporaryDirectory() as folder:
        programs = Programs(options, folder)
        good = [compare_detector(programs, images, case) for case in detectors]
        good += [compare_backbone(programs, images, case) for case in (BACKBONES[:1] if options.quick else BACKBONES)]
        good.append(compare_other_classes(programs))
        others = [*refused.check(programs), *trained.check(programs, images, detections_differ)]
        good += [report(name, None, 0, 0, problems) for name, problems in others]
    print(f"{sum(good)} of {len(good)} as they should be")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
