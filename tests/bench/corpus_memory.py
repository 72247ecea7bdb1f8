#!/usr/bin/env python3
"""Measures how the memory of each command of smearscope-corpus grows with the number of images.

usage: corpus_memory.py PROGRAM MAKE_PICTURES --scratch FOLDER [--sizes 2000,8000,32000] [--processors 0,1]

MAKE_PICTURES makes corpora of small pictures that have nothing in common, of each size. Prints Markdown: the peak of resident
memory of each command at each size, what an image costs between the two largest, and what a million images would need at that rate.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

CONFIG = '[[source]]\nkind = "coco"\ninput = "made"\n[split]\nval = 0.1\n'


def run(command):
    """Wall seconds, CPU seconds, peak resident KiB."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 2):
        sys.exit(f"{' '.join(map(str, command))} failed:\n{said.decode()}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def commands(program, folder):
    made, standard, merged, split = (folder / name for name in ("made", "standard", "merged", "split"))
    config = folder / "build.toml"
    config.write_text(CONFIG)
    yield "standardise", [program, "standardise", "--source", "coco", "--input", made, "--output", standard]
    yield "merge", [program, "merge", standard, "--output", merged]
    yield "split", [program, "split", merged, "--output", split, "--val", 0.1]
    yield "check", [program, "check", split]
    yield "stats", [program, "stats", split, "--html", folder / "page.html", "--json", folder / "stats.json"]
    for name in ("coco", "voc", "yolo", "csv"):
        yield f"export {name}", [program, "export", split, "--format", name, "--output", folder / name, "--link"]
    yield "build", [program, "build", "--config", config, "--data", folder, "--output", folder / "built"]


def measure(program, make_pictures, scratch, count):
    folder = scratch / str(count)
    folder.mkdir(parents=True)
    subprocess.run([make_pictures, folder / "made", str(count)], check=True)
    results = {}
    for name, command in commands(program, folder):
        results[name] = run(command)
        print(f"{count} {name}: {results[name][0]:.1f} s, {results[name][1]:.1f} s CPU, {results[name][2]} KiB", file=sys.stderr)
    shutil.rmtree(folder)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("make_pictures", type=Path)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--sizes", default="2000,8000,32000")
    parser.add_argument("--processors", default="0,1")
    options = parser.parse_args()
    os.sched_setaffinity(0, {int(core) for core in options.processors.split(",")})
    sizes = [int(size) for size in options.sizes.split(",")]
    results = {size: measure(options.program.resolve(), options.make_pictures.resolve(), options.scratch, size) for size in sizes}
    print("| command | " + " | ".join(f"{size:,} images" for size in sizes) + " | an image more | a million |")
    print("|---" * (len(sizes) + 3) + "|")
    for name in results[sizes[0]]:
        peaks = [results[size][name][2] for size in sizes]
        slope = (peaks[-1] - peaks[-2]) * 1024 / (sizes[-1] - sizes[-2])
        million = peaks[-1] / 1024 + slope * (1_000_000 - sizes[-1]) / 2**20
        cells = [f"{results[size][name][1]:.1f} s, {results[size][name][2] / 1024:.0f} MiB" for size in sizes]
        print(f"| {name} | " + " | ".join(cells) + f" | {slope:.0f} B | {million:.0f} MiB |")


if __name__ == "__main__":
    main()
