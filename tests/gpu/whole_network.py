"""The CUDA engine on whole pictures: f32 against the CPU engine (or torchvision, in a build without one) within 1e-3 in score
and 0.1 pixel, f16 close to f32, and the same bits in every call and process. Prints a table; exit status 1: different.

Pictures: --pictures FOLDER (JPEG or PNG, the first 20), else random ones. Models: --model FILE, and random ones.

  whole_network.py --build build/gpu [--reference cpu|torchvision] [--pictures FOLDER] [--model FILE]...
"""

import argparse
import os
import pathlib
import sys
import tempfile

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracles" / "parity"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import model_file  # noqa: E402
import reference  # noqa: E402
from compare_torchvision import picture  # noqa: E402
from engine import Engine, write_ppm  # noqa: E402

# Where a candidate sits on a threshold, rounding decides: this share of detections may differ.
BORDERLINE = 0.02


def load_pictures(folder):
    if folder is None:
        return [picture(640, 480), picture(333, 517), picture(1024, 260), picture(100, 80)]
    from PIL import Image

    names = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [np.array(Image.open(path).convert("RGB")) for path in names[:20]]


def matched(some, others, pixels, score):
    """Share of detections that have their like among others."""
    if not some:
        return 1.0
    if not others:
        return 0.0
    a, b = np.array(some), np.array(others)
    near = (a[:, None, 0] == b[None, :, 0]) & (abs(a[:, None, 1] - b[None, :, 1]) <= score)
    near &= (abs(a[:, None, 2:] - b[None, :, 2:]) <= pixels).all(-1)
    return float(near.any(1).mean())


def agreement(found, expected, pixels, score):
    return min(min(matched(f, e, pixels, score), matched(e, f, pixels, score)) for f, e in zip(found, expected))


def run(program, model, files, device, precision):
    engine = Engine(str(program), model, 0, device, precision)
    answers = [engine.detect(file)["detections"] for file in files]
    again = [engine.detect(file)["detections"] for file in files]
    engine.close()
    return answers, answers == again


@torch.inference_mode()
def run_torchvision(model, pixels):
    found = []
    for one in pixels:
        result = model([torch.from_numpy(one).permute(2, 0, 1).float() / 255])[0]
        rows = torch.cat([result["labels"][:, None] - 1, result["scores"][:, None], result["boxes"]], 1)
        found.append(rows.tolist())
    return found


def check(name, model_path, torch_model, program, judge, pixels, files):
    found, repeated = run(program, model_path, files, "cuda", "f32")
    other_process, _ = run(program, model_path, files, "cuda", "f32")
    half, half_repeated = run(program, model_path, files, "cuda", "f16")
    if judge == "cpu":
        expected, _ = run(program, model_path, files, "cpu", "f32")
    else:
        expected = run_torchvision(torch_model, pixels) if torch_model else None
    count = sum(len(one) for one in found)
    same = repeated and half_repeated and found == other_process
    near = agreement(found, expected, 0.1, 1e-3) if expected is not None else None
    near_half = agreement(half, found, 2, 0.03)
    text = "no reference" if near is None else f"{100 * near:.1f}%"
    print(f"{name:28} {count:6} detections   f32 as {judge}: {text:>12}   f16 near f32: {100 * near_half:.1f}%   "
          f"same bits: {'yes' if same else 'NO'}", flush=True)
    return same and count > 0 and (near is None or near >= 1 - BORDERLINE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--reference", choices=("cpu", "torchvision"), default="cpu")
    parser.add_argument("--pictures", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path, action="append", default=[])
    arguments = parser.parse_args()
    program = arguments.build / "tests/oracles/parity/detect_frames"
    pixels = load_pictures(arguments.pictures)
    good = True
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, f"{i}.ppm") for i in range(len(pixels))]
        for file, one in zip(files, pixels):
            write_ppm(file, one)
        for path in arguments.model:
            good &= check(path.stem, str(path), None, program, arguments.reference, pixels, files)
        for backbone, width, head, side in (("resnet50", 256, 1024, 480), ("resnet34", 100, 200, 320)):
            document = reference.document(backbone, width, head, min_side=side, max_side=2 * side)
            tensor = torch.from_numpy(pixels[0]).permute(2, 0, 1).float() / 255
            model = reference.randomise(reference.build(document), 1, tensor)
            path = os.path.join(folder, "model.safetensors")
            model_file.write(path, document, model.state_dict())
            good &= check(document["name"], path, model, program, arguments.reference, pixels, files)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
