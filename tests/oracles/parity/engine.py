"""The engine as a running program that is asked for one picture after another."""

import json
import subprocess


def write_ppm(path, pixels):
    """pixels: uint8 array [height][width][3], R, G, B."""
    with open(path, "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes())


class Engine:
    def __init__(self, program, model, threads=0, device="cpu", precision="f32", batch=1):
        self.process = subprocess.Popen(
            [program, model, str(threads), device, precision, str(batch)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def detect(self, path):
        """{"wall_ms", "cpu_ms", "detections": [[label, score, x_min, y_min, x_max, y_max], ...]}"""
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the engine stopped with status {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
