"""Speed of the engine against torchvision: ResNet-50-FPN, 25 classes, 640x480 unscaled, float32, same weights and frame.

Both run in turn (A B A B) in one session, so that whatever else the machine does strikes both. Prints wall and CPU time
of one frame (all threads together) and the engine's share of torchvision's. On a busy machine CPU time tells more.

  SMEARSCOPE_PYTHON ... compare_torchvision.py --build build [--rounds 10] [--threads 2] [--require 0.9]
"""

import argparse
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
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracles" / "parity"))
import model_file  # noqa: E402
import reference  # noqa: E402
from engine import Engine, write_ppm  # noqa: E402


def picture(width, height):
    """Smooth random blobs: random weights find plenty in them."""
    noise = torch.rand(1, 3, height // 20, width // 20, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(noise, (height, width), mode="bicubic").clamp(0, 1)
    return (smooth[0].permute(1, 2, 0) * 255).round().byte().numpy()


def cpu_name():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0] if names else 'unknown'}, {len(os.sched_getaffinity(0))} cores usable"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--require", type=float, help="exit status 1 if the wall time's share is above this")
    arguments = parser.parse_args()
    program = arguments.build / "tests/oracles/parity/detect_frames"
    subprocess.run(["ninja", "-C", arguments.build, "tests/oracles/parity/detect_frames"], check=True,
                   stdout=subprocess.DEVNULL)
    torch.set_num_threads(arguments.threads)
    pixels = picture(640, 480)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    document = reference.document(min_side=480, max_side=640)
    model = reference.randomise(reference.build(document), 1, tensor)
    times = {"torchvision": ([], []), "engine": ([], [])}
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        model_path, frame_path = os.path.join(folder, "model.safetensors"), os.path.join(folder, "frame.ppm")
        model_file.write(model_path, document, model.state_dict())
        write_ppm(frame_path, pixels)
        engine = Engine(str(program), model_path, arguments.threads)
        for turn in range(-2, arguments.rounds):  # the first two warm up
            wall, cpu = time.perf_counter(), time.process_time()
            expected = model([tensor])[0]
            row = (1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu))
            answer = engine.detect(frame_path)
            assert len(answer["detections"]) == len(expected["scores"]), "both must do the same work"
            if turn < 0:
                continue
            for name, values in (("torchvision", row), ("engine", (answer["wall_ms"], answer["cpu_ms"]))):
                for column, value in zip(times[name], values):
                    column.append(value)
        engine.close()
    print(f"torchvision {torchvision.__version__}, torch {torch.__version__}; {cpu_name()}; load {os.getloadavg()[0]:.1f}")
    print(f"ResNet-50-FPN, 25 classes, 640x480, f32, {arguments.threads} threads, {arguments.rounds} frames each, in turn")
    print(f"{'ms a frame':12} {'wall median':>12} {'wall least':>12} {'CPU median':>12} {'CPU least':>12}")
    for name, (wall, cpu) in times.items():
        print(f"{name:12} {statistics.median(wall):12.1f} {min(wall):12.1f} {statistics.median(cpu):12.1f} {min(cpu):12.1f}")
    shares = [pick(times["engine"][k]) / pick(times["torchvision"][k])
              for k in (0, 1) for pick in (statistics.median, min)]
    print(f"{'share':12} " + " ".join(f"{share:12.3f}" for share in shares))
    if arguments.require and shares[0] > arguments.require:
        sys.exit(f"the engine takes more than {arguments.require} of torchvision's time")


if __name__ == "__main__":
    main()
