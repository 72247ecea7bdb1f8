#!/usr/bin/env python3
"""Random small data sets, full of edge cases: the metrics library against pycocotools and, with gaps in the labels, LVIS.

usage: random_cases.py PROGRAM [--cases N] [--seed N]        PROGRAM: metrics_figures

Prints how often each edge case came; exit status 0: every figure equal to 1e-6, 1: not, 77: pycocotools is missing.
"""
import argparse
import collections
import json
import random
import subprocess
import sys
import tempfile

import coco_figures

AREA_SIDES = [31, 32, 33, 95, 96, 97]  # around the bounds 32^2 and 96^2


def random_box(rng, size):
    if rng.random() < 0.3:
        width = height = rng.choice(AREA_SIDES)
    else:
        width, height = rng.choice([8, 20, 40, 64, 128]), rng.choice([8, 20, 40, 64, 128])
    return [rng.randrange(0, size, 4), rng.randrange(0, size, 4), width, height]


def moved(rng, box):
    """Overlaps `box`: the same, or by a multiple of 1/20 of its area, so that IoUs fall on thresholds."""
    x, y, width, height = box
    kind = rng.random()
    if kind < 0.25:
        return list(box)
    if kind < 0.65:  # inside it: IoU n / 20
        return [x, y, width * rng.randrange(8, 21) / 20, height]
    return [x + rng.choice([-6, -2, 0, 1, 3]), y + rng.choice([-4, 0, 2]), width + rng.choice([-3, 0, 5]), height]


def random_image(rng, settings):
    truth, found = [], []
    for _ in range(rng.choice(settings["truth"])):
        box = random_box(rng, settings["size"])
        if truth and rng.random() < 0.1:
            box = list(rng.choice(truth)[:4])  # the same box twice
        area = box[2] * box[3]
        if rng.random() < 0.1:
            area = rng.choice([32 ** 2, 96 ** 2, area / 2])
        truth.append([*box, rng.choice(settings["labelled"]), area, int(rng.random() < settings["crowd"])])
    for _ in range(rng.choice(settings["found"])):
        near = rng.choice(truth) if truth and rng.random() < 0.8 else None
        box = moved(rng, near[:4]) if near else random_box(rng, settings["size"])
        category = near[4] if near and rng.random() < 0.8 else rng.choice(settings["known"])
        score = rng.randrange(0, 11) / 10 if settings["ties"] else rng.random()
        found.append([*box, category, score])
    return {"truth": truth, "found": found, "open": []}


def random_case(rng):
    categories = rng.choice([1, 2, 3, 5])
    everything = list(range(categories))
    settings = {
        "size": rng.choice([16, 60, 200, 600]),
        "truth": rng.choice([[0], [0, 1], [0, 2, 5], [12], [40]]),
        "found": rng.choice([[0], [0, 1, 3], [10], [60], [0, 130, 260]]),
        "crowd": rng.choice([0, 0, 0.2, 1]),
        "ties": rng.random() < 0.5,
        "labelled": rng.sample(everything, rng.randint(1, categories)),
        "known": rng.sample(everything, rng.randint(1, categories)),
    }
    return {"categories": categories,
            "images": [random_image(rng, settings) for _ in range(rng.choice([1, 2, 3, 6]))]}


def open_some(rng, case):
    """Leaves some labels open, as LVIS can tell it: no crowds, and at most 300 detections an image in all."""
    for image in case["images"]:
        image["truth"] = [[*row[:6], 0] for row in image["truth"]]
        image["found"] = image["found"][:90]
        image["open"] = [c for c in range(case["categories"]) if rng.random() < 0.4]


def as_coco(case):
    """COCO document with LVIS's fields, and results."""
    images, annotations, results = [], [], []
    for number, image in enumerate(case["images"], 1):
        labelled = {row[4] for row in image["truth"]}
        images.append({"id": number, "width": 1000, "height": 1000,
                       "neg_category_ids": [c + 1 for c in range(case["categories"])
                                            if c not in labelled and c not in image["open"]],
                       "not_exhaustive_category_ids": [c + 1 for c in image["open"] if c in labelled]})
        for x, y, width, height, category, area, crowd in image["truth"]:
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": category + 1,
                                "bbox": [x, y, width, height], "area": area, "iscrowd": crowd})
        results += [{"image_id": number, "category_id": category + 1, "bbox": [x, y, width, height], "score": score}
                    for x, y, width, height, category, score in image["found"]]
    categories = [{"id": c + 1, "name": str(c), "frequency": "f"} for c in range(case["categories"])]
    return {"images": images, "annotations": annotations, "categories": categories}, results


def count_edges(case, edges):
    truth = [row for image in case["images"] for row in image["truth"]]
    found = [row for image in case["images"] for row in image["found"]]
    edges["data sets"] += 1
    edges["no truth"] += not truth
    edges["no detections"] += not found
    edges["crowds"] += any(row[6] for row in truth)
    edges["ties in score"] += len({row[5] for row in found}) < len(found)
    edges["boxes labelled twice"] += any(
        len({tuple(row[:4]) for row in image["truth"]}) < len(image["truth"]) for image in case["images"])
    edges["detections doubled"] += any(
        len({tuple(row[:5]) for row in image["found"]}) < len(image["found"]) for image in case["images"])
    edges["classes without truth"] += len({row[4] for row in truth}) < case["categories"]
    edges["areas on a bound"] += any(row[5] in (32 ** 2, 96 ** 2) for row in truth)
    edges["over 100 of a class in an image"] += any(
        n > 100 for image in case["images"] for n in collections.Counter(row[4] for row in image["found"]).values())
    edges["open classes"] += any(image["open"] for image in case["images"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng, edges = random.Random(options.seed), collections.Counter()
    cases = [random_case(rng) for _ in range(options.cases)]
    for case in cases[::4]:
        open_some(rng, case)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(cases, file)
        file.flush()
        ours = json.loads(subprocess.run([options.program, file.name], check=True, stdout=subprocess.PIPE).stdout)
    wrong, by_lvis = [], 0
    for number, (case, reported) in enumerate(zip(cases, ours)):
        count_edges(case, edges)
        document, results = as_coco(case)
        if any(image["open"] for image in case["images"]):
            theirs = coco_figures.lvis(document, results)
            if theirs is not None:
                by_lvis += 1
                wrong += [f"case {number}, open classes: {key}: {a} instead of {b}" for key, a, b in
                          zip(coco_figures.KEYS, reported["as_told"]["coco"], theirs) if abs(a - b) > 1e-6]
        elif reported["as_told"] != reported["as_complete"]:
            wrong.append(f"case {number}: figures of complete labels differ")
        wrong += coco_figures.differences(reported["as_complete"], coco_figures.figures(document, results),
                                          f"case {number}")
    for edge, count in edges.items():
        print(f"{count:6} {edge}")
    print(f"{by_lvis:6} compared with LVIS, too")
    for line in wrong[:30]:
        print(line)
    print(f"random data sets: {len(wrong)} figures differ" if wrong else "random data sets: equal")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
