#!/usr/bin/env python3
"""What darkness does to detection: pictures of a corpus's val part (sources txl and bccd) made darker, and the share of
their labelled cells that smearscope-detect finds (IoU 0.5, whatever the name), beside the background that celltally measures
(the grey level of green above which a tenth of the picture is)."""
import argparse
import csv
import json
import pathlib
import random
import subprocess
import tempfile

import numpy
from PIL import Image


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(area) - width * height)


def found(labels, detections):
    """Each detection, best first, takes the first label that it overlaps enough and nobody has."""
    free = list(labels)
    for box in detections:
        partner = next((label for label in free if overlap(label, box) > 0.5), None)
        if partner:
            free.remove(partner)
    return len(labels) - len(free)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--detect", required=True, help="the program smearscope-detect")
    parser.add_argument("--images", type=int, default=40)
    args = parser.parse_args()
    val = json.loads((args.corpus / "annotations/val.json").read_text(encoding="utf-8"))
    random.seed(1)
    pictures = random.sample([i for i in val["images"] if i["source"] in ("txl", "bccd")], args.images)
    labels = {i["id"]: [] for i in pictures}
    for a in val["annotations"]:
        if a["image_id"] in labels:
            x, y, width, height = a["bbox"]
            labels[a["image_id"]].append((x, y, x + width, y + height))
    print("light  background (median)  found  of the detections")
    for light in (1, 0.7, 0.5, 0.4, 0.3, 0.2):
        with tempfile.TemporaryDirectory() as folder:
            background = []
            for i in pictures:
                pixels = numpy.asarray(Image.open(args.corpus / "images" / i["file_name"]).convert("RGB")) * light
                background.append(numpy.percentile(pixels[..., 1], 90))
                Image.fromarray(pixels.astype("uint8")).save(f"{folder}/{i['id']}.png")
            subprocess.run([args.detect, "--model", args.model, "--csv", f"{folder}/d.csv", folder], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            detections = {i["id"]: [] for i in pictures}
            with open(f"{folder}/d.csv", encoding="utf-8") as table:
                for row in csv.DictReader(table):
                    box = tuple(float(row[side]) for side in ("x_min", "y_min", "x_max", "y_max"))
                    detections[int(row["file_name"].split(".")[0])].append(box)
        right = sum(found(labels[i], detections[i]) for i in labels)
        print(f"{light:5} {numpy.median(background):9.0f} {right / sum(map(len, labels.values())):22.2f} "
              f"{right / max(1, sum(map(len, detections.values()))):8.2f}", flush=True)


main()
