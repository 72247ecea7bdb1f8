#!/usr/bin/env python3
"""Times smearscope-corpus against corpus_reference.py: standardise + merge + split of the same sources, cold, on the same cores.

usage: compare_corpus.py PROGRAM DATA --scratch FOLDER [--cores 0,1] [--rounds 2] [--processes 1,2]

DATA holds bccd/, txl-pbc/, chula-rbc-12/ and pbc/. Before each run DATA's pages are dropped from the page cache
(posix_fadvise; the whole cache where /proc/sys/vm/drop_caches may be written and --drop-all is given) and everything is
synced. Runs take turns; the fastest of each counts. Then both run once on half of the images: time is taken as a*n + b*n**1.5 for ours and
a*n + b*n*n for the reference (all but the search for copies is linear) to project it. Prints Markdown.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

SOURCES = {"bccd": "bccd", "txl": "txl-pbc", "chula": "chula-rbc-12", "pbc": "pbc"}
IMAGE_TYPES = (".jpg", ".jpeg", ".png")
BAR = 5


def make_cold(data, drop_all):
    os.sync()
    if drop_all:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
        return
    for path in data.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def run(command, cores):
    """Wall seconds, CPU seconds, peak resident MiB of the largest process. Exit status 2 of ours: files left out."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               preexec_fn=lambda: os.sched_setaffinity(0, cores))
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) not in (0, 2):
        sys.exit(f"{command[0]} failed:\n{said.decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def total(runs):
    wall, cpu, memory = zip(*runs)
    return sum(wall), sum(cpu), max(memory)


def run_program(program, data, output, cores):
    """The three steps; returns the total and the wall time of each step."""
    steps, folders = {}, []
    for source, folder in SOURCES.items():
        folders.append(output / source)
        steps[f"standardise {source}"] = run([program, "standardise", "--source", source, "--taxonomy", "paper", "--longest-side", "640",
                                              "--input", data / folder, "--output", folders[-1]], cores)
    steps["merge"] = run([program, "merge", *folders, "--output", output / "merged"], cores)
    steps["split"] = run([program, "split", output / "merged", "--output", output / "corpus"], cores)
    return total(steps.values()), steps


def run_reference(data, output, cores, processes):
    script = Path(__file__).with_name("corpus_reference.py")
    output.mkdir()
    return run([sys.executable, script, data, output, "--processes", processes], cores), {}


def size_of(corpus):
    images = boxes = 0
    for part in (corpus / "annotations").glob("*.json"):
        document = json.loads(part.read_text())
        images += len(document["images"])
        boxes += len(document["annotations"])
    return images, boxes


def count_images(data):
    return sum(p.suffix.lower() in IMAGE_TYPES for p in data.rglob("*"))


def halve(data, half):
    """A copy of the data with every second image of each source, and all labels but those of the images left out."""
    number = 0
    for path in sorted(p for folder in SOURCES.values() for p in (data / folder).rglob("*") if p.is_file()):
        if path.suffix.lower() in IMAGE_TYPES:
            number += 1
            if number % 2:
                continue
        target = half / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    kept = {p.stem for p in half.rglob("*") if p.suffix.lower() in IMAGE_TYPES}
    for path in half.rglob("*"):
        if path.is_file() and path.suffix in (".txt", ".xml") and path.parent.name != "Main" and path.stem not in kept:
            path.unlink()
    for listing in half.rglob("ImageSets/Main/*.txt"):
        names = [name for name in listing.read_text().split() if name in kept]
        listing.write_text("\n".join(names) + "\n")


def project(n1, t1, n2, t2, n, power):
    """Through (n1, t1) and (n2, t2): a*n + b*n**power with b not below 0."""
    b = max(0.0, (t2 / n2 - t1 / n1) / (n2 ** (power - 1) - n1 ** (power - 1)))
    a = t2 / n2 - b * n2 ** (power - 1)
    return a * n + b * n**power


def duration(seconds):
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--cores", default=",".join(map(str, sorted(os.sched_getaffinity(0)))))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--processes", default="1")
    parser.add_argument("--drop-all", action="store_true")
    a = parser.parse_args()
    cores = set(map(int, a.cores.split(",")))
    a.scratch.mkdir(parents=True, exist_ok=True)
    half = a.scratch / "half"
    shutil.rmtree(half, ignore_errors=True)
    halve(a.data, half)

    def timed(data, processes, keep=None):
        output = a.scratch / "run"
        shutil.rmtree(output, ignore_errors=True)
        make_cold(data, a.drop_all)
        if processes == 0:
            result = run_program(a.program, data, output, cores)
        else:
            result = run_reference(data, output, cores, processes)
        sizes = size_of(output / "corpus")
        shutil.rmtree(output)
        return (*result, sizes)

    runners = {"smearscope-corpus": 0}
    runners.update({f"Python, {n} process{'es' if n > 1 else ''}": n for n in map(int, a.processes.split(","))})
    results = {name: [] for name in runners}
    load = os.getloadavg()[0]
    for _ in range(a.rounds):
        for name, processes in runners.items():
            results[name].append(timed(a.data, processes))
    halves = {name: timed(half, processes) for name, processes in runners.items()}

    n, n_half = count_images(a.data), count_images(half)
    print(f"{n} image files; cores {a.cores}; load average before {load:.1f}, after {os.getloadavg()[0]:.1f}; "
          f"fastest of {a.rounds}\n")
    print("| | time | CPU time | ratio (time) | ratio (CPU) | peak memory | on half | images, boxes | "
          "19,470 images | a million |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    best = {name: min(runs, key=lambda r: r[0][0]) for name, runs in results.items()}
    ours = best["smearscope-corpus"][0]
    ratios = []
    for name, ((wall, cpu, memory), _, sizes) in best.items():
        half_wall, _, half_memory = halves[name][0]
        ratios.append(wall / ours[0])
        projected = [duration(project(n_half, half_wall, n, wall, m, 2 if runners[name] else 1.5)) for m in (19470, 1000000)]
        print(f"| {name} | {wall:.1f} s | {cpu:.1f} s | {wall / ours[0]:.1f} | {cpu / ours[1]:.1f} | {memory:.0f} MiB | "
              f"{half_wall:.1f} s, {half_memory:.0f} MiB | {sizes[0]}, {sizes[1]} | {projected[0]} | {projected[1]} |")
    print("\nSteps of smearscope-corpus:\n\n| step | time | CPU time | peak memory |\n|---|---|---|---|")
    for step, (wall, cpu, memory) in best["smearscope-corpus"][1].items():
        print(f"| {step} | {wall:.2f} s | {cpu:.2f} s | {memory:.0f} MiB |")
    return 0 if ratios[1] >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
