#!/usr/bin/env python3
"""Loads a corpus as others do: pycocotools, torchvision's CocoDetection, LVIS's own reader and evaluation.

usage: loads.py CORPUS

For each part: the images, boxes and classes that each reader sees are those of the file; images open with the recorded size;
LVIS's evaluation takes the fields on completeness, and gives the labels themselves, as results, an AP of 1. Exit
status 0: all well, 1: not, 77: a package is missing.
"""
import contextlib
import io
import json
import logging
import sys
import types
from pathlib import Path

try:
    import numpy
    if not hasattr(numpy, "float"):
        numpy.float = float  # LVIS's package is older than NumPy 1.24
    from pycocotools.coco import COCO
    from torchvision.datasets import CocoDetection
    # LVIS's package draws, too, with packages that are not needed here.
    sys.modules["lvis.vis"] = types.SimpleNamespace(LVISVis=None)
    from lvis import LVIS, LVISEval, LVISResults
except ImportError as problem:
    print(f"skipped: {problem}")
    sys.exit(77)


class Complaints(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


logging.getLogger("lvis.results").setLevel(logging.ERROR)  # warns that it takes results on trust, always


def as_results(document):
    """The labels, with a perfect score."""
    return [dict(image_id=a["image_id"], category_id=a["category_id"], bbox=a["bbox"], score=1.0)
            for a in document["annotations"]]


def check_part(corpus, part, wrong):
    document = json.loads(part.read_text(encoding="utf-8"))
    images, boxes = len(document["images"]), len(document["annotations"])
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(part))
        dataset = CocoDetection(str(corpus / "images"), str(part))
    if (len(coco.imgs), len(coco.anns), len(coco.cats)) != (images, boxes, len(document["categories"])):
        wrong.append(f"{part.name}: pycocotools reads something else")
    if len(dataset) != images:
        wrong.append(f"{part.name}: CocoDetection reads {len(dataset)} images of {images}")
    seen = 0
    for i in range(0, images, max(1, images // 50)):
        picture, cells = dataset[i]
        record = coco.imgs[dataset.ids[i]]
        seen += 1
        if picture.size != (record["width"], record["height"]):
            wrong.append(f"{record['file_name']}: opens with {picture.size}")
        if len(cells) != sum(a["image_id"] == record["id"] for a in document["annotations"]):
            wrong.append(f"{record['file_name']}: CocoDetection reads other boxes")
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    lvis = LVIS(str(part))
    evaluation = LVISEval(lvis, LVISResults(lvis, as_results(document), max_dets=-1), "bbox")
    evaluation.params.max_dets = -1
    evaluation.run()
    ap = evaluation.get_results()["AP"]
    if abs(ap - 1) > 1e-6:
        wrong.append(f"{part.name}: LVIS gives the labels themselves an AP of {ap}")
    wrong += [f"{part.name}: LVIS complains: {line}" for line in complaints.lines]
    print(f"{part.name}: {images} images ({seen} opened), {boxes} boxes, AP of the labels by LVIS {ap:.4f}")


def main():
    corpus, wrong = Path(sys.argv[1]), []
    for part in sorted((corpus / "annotations").glob("*.json")):
        check_part(corpus, part, wrong)
    for line in wrong[:50]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
