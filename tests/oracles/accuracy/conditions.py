#!/usr/bin/env python3
"""What darkness or another magnification does to detection: pictures of a corpus's val part changed so, and the share of
their labelled cells that smearscope-detect finds (IoU 0.5, whatever the name).

  light  made darker; beside the background that celltally measures: the grey level of green above which a tenth of the picture is
  scale  resized so that the middle red cell has a given share of the picture's height, and cut or padded to 4:3 of --rows"""
import argparse
import csv
import json
import pathlib
import random
import statistics
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


def darker(pixels, labels, light):
    return (pixels * light).astype("uint8"), labels


def resized(pixels, labels, sides, rows, share):
    """On the picture's own background; labels are those of cells that stay whole."""
    scale = share * rows / statistics.median(sides)
    columns = rows * 4 // 3
    small = Image.fromarray(pixels)
    small = small.resize([max(1, round(side * scale)) for side in small.size], Image.Resampling.BILINEAR, reducing_gap=3)
    light = pixels.sum(axis=2) >= numpy.percentile(pixels.sum(axis=2), 75)
    canvas = Image.new("RGB", (columns, rows), tuple(int(v) for v in numpy.median(pixels[light], axis=0)))
    left, top = (columns - small.width) // 2, (rows - small.height) // 2
    canvas.paste(small, (left, top))
    moved = [tuple(v * scale + (left, top)[k % 2] for k, v in enumerate(box)) for box in labels]
    shown = (max(0, left) + 1, max(0, top) + 1, min(columns, left + small.width) - 1, min(rows, top + small.height) - 1)
    inside = [b for b in moved if b[0] > shown[0] and b[1] > shown[1] and b[2] < shown[2] and b[3] < shown[3]]
    return numpy.asarray(canvas), inside


def measure(args, pictures, change):
    """Changes, detects; returns labels, those found, detections, and the backgrounds of the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        labels, background = {}, []
        for i, (name, boxes, sides) in pictures.items():
            pixels = numpy.asarray(Image.open(args.corpus / "images" / name).convert("RGB"))
            changed, labels[i] = change(pixels, boxes, sides)
            background.append(numpy.percentile(changed[..., 1], 90))
            Image.fromarray(changed).save(f"{folder}/{i}.png")
        subprocess.run([args.detect, "--model", args.model, "--csv", f"{folder}/d.csv", folder], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        detections = {i: [] for i in pictures}
        with open(f"{folder}/d.csv", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                box = tuple(float(row[side]) for side in ("x_min", "y_min", "x_max", "y_max"))
                detections[int(row["file_name"].split(".")[0])].append(box)
    return (sum(map(len, labels.values())), sum(found(labels[i], detections[i]) for i in labels),
            sum(map(len, detections.values())), statistics.median(background))


def read_pictures(args):
    """Of pictures with three red cells or more: the file, all boxes, and the sides of the red cells."""
    val = json.loads((args.corpus / "annotations/val.json").read_text(encoding="utf-8"))
    red = {c["id"] for c in val["categories"] if "rbc" in (c["name"], c["supercategory"])}
    pictures = {i["id"]: (i["file_name"], [], []) for i in val["images"] if i["source"] in args.sources.split(",")}
    for a in val["annotations"]:
        if a["image_id"] in pictures:
            x, y, width, height = a["bbox"]
            pictures[a["image_id"]][1].append((x, y, x + width, y + height))
            if a["category_id"] in red:
                pictures[a["image_id"]][2].append((width * height) ** 0.5)
    pictures = {i: p for i, p in pictures.items() if len(p[2]) >= 3}
    random.seed(1)
    return {i: pictures[i] for i in random.sample(sorted(pictures), min(args.images, len(pictures)))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("condition", choices=("light", "scale"))
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--detect", required=True, help="the program smearscope-detect")
    parser.add_argument("--sources", default="txl,bccd")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--rows", type=int, default=480)
    args = parser.parse_args()
    pictures = read_pictures(args)
    print(f"{args.condition}  labelled  found  of the detections" + ("  background" if args.condition == "light" else ""))
    for value in (1, 0.7, 0.5, 0.4, 0.3, 0.2) if args.condition == "light" else \
            (0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.125, 0.17, 0.25, 0.33, 0.4, 0.5):
        def change(pixels, boxes, sides, value=value):
            if args.condition == "light":
                return darker(pixels, boxes, value)
            return resized(pixels, boxes, sides, args.rows, value)
        labelled, right, shown, background = measure(args, pictures, change)
        print(f"{value:5} {labelled:9} {right / max(1, labelled):6.2f} {right / max(1, shown):18.2f}"
              + (f" {background:11.0f}" if args.condition == "light" else ""), flush=True)


main()
