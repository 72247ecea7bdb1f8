"""Speed of the CUDA engine against torchvision on the same GPU: ResNet-50-FPN, 25 classes, same weights and picture, from a
picture in host memory to detections in host memory. All take turns in one run. Prints a table; writes JSON with --json.

  speed.py --build build/gpu [--seconds 120] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

import torch
import torchvision

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracles" / "parity"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import model_file  # noqa: E402
import reference  # noqa: E402
from compare_torchvision import picture  # noqa: E402
from engine import Engine, write_ppm  # noqa: E402

# name, min side, max side, batch: the frame is always 640x480; enlarged to 1066x800 it is padded to 1088x800.
WORKLOADS = [("1088x800, batch 1", 800, 1333, 1), ("640x480, batch 1", 480, 640, 1), ("640x480, batch 8", 480, 640, 8)]
# Of docs/performance.md, in milliseconds a frame.
BARS = {"1088x800, batch 1": 2.0, "640x480, batch 1": 1.0, "640x480, batch 8": 1000 / 1500}


class Torchvision:
    """One way to run torchvision's model; `run` takes a list of uint8 tensors in host memory."""

    def __init__(self, model, half, tf32, batch):
        self.half, self.tf32, self.batch = half, tf32, batch
        self.model = model.cuda().eval()
        if half:
            self.model = self.model.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(self, pixels):
        torch.backends.cudnn.allow_tf32 = self.tf32
        torch.backends.cuda.matmul.allow_tf32 = self.tf32
        start = time.perf_counter()
        images = [pixels.cuda(non_blocking=True).float().div(255) for _ in range(self.batch)]
        with torch.autocast("cuda", torch.float16, enabled=self.half):
            found = self.model(images)
        found = [{name: value.cpu() for name, value in one.items()} for one in found]
        torch.cuda.synchronize()
        return 1e3 * (time.perf_counter() - start)


def measure(runners, seconds):
    """Wall milliseconds of each call, in turn, after warming up."""
    times = {name: [] for name in runners}
    for run in runners.values():
        for _ in range(5):
            run()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < 10:
        for name, run in runners.items():
            times[name].append(run())
    return times


def compare(workload, program, folder, seconds):
    name, min_side, max_side, batch = workload
    pixels = picture(640, 480)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    document = reference.document(min_side=min_side, max_side=max_side)
    model = reference.randomise(reference.build(document), 1, tensor.float() / 255)
    model_path, frame_path = os.path.join(folder, "model.safetensors"), os.path.join(folder, "frame.ppm")
    model_file.write(model_path, document, model.state_dict())
    write_ppm(frame_path, pixels)
    pinned = tensor.pin_memory()
    engines = {p: Engine(str(program), model_path, 0, "cuda", p, batch) for p in ("f32", "f16")}
    ways = {"torchvision f32": Torchvision(model, False, False, batch), "torchvision f32, TF32 allowed": None,
            "torchvision f16, channels last": None}
    ways["torchvision f32, TF32 allowed"] = Torchvision(model, False, True, batch)
    half = reference.build(document)
    half.load_state_dict(model.state_dict())
    ways["torchvision f16, channels last"] = Torchvision(half, True, True, batch)
    runners = {f"engine {p}": (lambda e=e: e.detect(frame_path)["wall_ms"]) for p, e in engines.items()}
    runners.update({way: (lambda t=t: t.run(pinned)) for way, t in ways.items()})
    times = measure(runners, seconds)
    for engine in engines.values():
        engine.close()
    return {way: {"median_ms": statistics.median(values) / batch, "least_ms": min(values) / batch, "calls": len(values)}
            for way, values in times.items()}


def show(name, result):
    fastest = result["engine f16"]["median_ms"]
    print(f"\n{name}: milliseconds a frame")
    print(f"{'':32} {'median':>10} {'least':>10} {'frames/s':>10} {'/ engine f16':>13}")
    for way, row in result.items():
        print(f"{way:32} {row['median_ms']:10.3f} {row['least_ms']:10.3f} {1000 / row['median_ms']:10.0f}"
              f" {row['median_ms'] / fastest:13.2f}")
    met = "met" if fastest <= BARS[name] else "MISSED"
    print(f"bar: engine f16 at most {BARS[name]:.2f} ms a frame: {met}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=120, help="for all workloads together, warming up not counted")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("skipped: torch sees no GPU")
        sys.exit(77)
    program = arguments.build / "tests/oracles/parity/detect_frames"
    machine = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__, "torchvision": torchvision.__version__,
               "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for workload in WORKLOADS:
            results[workload[0]] = compare(workload, program, folder, arguments.seconds / len(WORKLOADS))
            show(workload[0], results[workload[0]])
    free, total = torch.cuda.mem_get_info()
    print(f"\nGPU memory in use at the end, torchvision's included: {(total - free) / 1e9:.2f} GB")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
