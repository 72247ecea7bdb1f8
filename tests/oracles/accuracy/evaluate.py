#!/usr/bin/env python3
"""COCO box metrics of a results file, by pycocotools.

    smearscope-detect --coco-images VAL.json --coco-results RESULTS.json IMAGES/
    evaluate.py --coco VAL.json --results RESULTS.json [--per-image 200] [--json OUT.json] [--require-ap50 0.95]

Image and category ids of the results are those of VAL.json (--coco-images sees to it); where a result also has a
file_name or category_name, they must agree. Images of VAL.json without results count as images where nothing was found.
"""
import argparse
import contextlib
import io
import json
import sys

try:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
except ImportError as missing:
    print(f"skipped: {missing}; set SMEARSCOPE_PYTHON to a Python with pycocotools", file=sys.stderr)
    sys.exit(77)


def fail(text):
    print(f"evaluate.py: {text}", file=sys.stderr)
    sys.exit(1)


def check_ids(results, truth, file):
    names = {category["name"]: id for id, category in truth.cats.items()}
    for number, result in enumerate(results, 1):
        where = f"{file}: result {number}"
        image = truth.imgs.get(result["image_id"])
        if image is None:
            fail(f"{where}: no image has id {result['image_id']}; run smearscope-detect with --coco-images")
        if result.get("file_name", image["file_name"]).split("/")[-1] != image["file_name"].split("/")[-1]:
            fail(f"{where}: is of {result['file_name']}, but image {image['id']} is {image['file_name']}")
        if result["category_id"] not in truth.cats:
            fail(f"{where}: no category has id {result['category_id']}")
        name = result.get("category_name")
        if name is not None and names.get(name) != result["category_id"]:
            fail(f"{where}: category {result['category_id']} is named {name}")


def evaluate(truth, results, per_image):
    """(AP, AP50, AP75) over all classes, and by class name."""
    found = truth.loadRes(results)
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.params.maxDets = [1, 10, per_image]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # [IoU, recall, class], all areas

    def metrics(values):
        def mean(part):
            part = part[part > -1]
            return float(part.mean()) if part.size else float("nan")

        return mean(values), mean(values[0]), mean(values[5])  # IoU .5:.95, .5, .75

    classes = [truth.cats[id]["name"] for id in evaluation.params.catIds]
    by_class = {name: metrics(precision[:, :, i]) for i, name in enumerate(classes)}
    return metrics(precision), by_class


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coco", required=True, help="ground truth, COCO JSON")
    parser.add_argument("--results", required=True, help="results, COCO JSON")
    parser.add_argument("--per-image", type=int, default=100, help="detections per image that count (default 100)")
    parser.add_argument("--json", help="also write the numbers here")
    parser.add_argument("--require-ap50", type=float, help="exit with 1 if AP50 is below")
    options = parser.parse_args()

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(options.coco)
    with open(options.results) as file:
        results = json.load(file)
    if not results:
        fail(f"{options.results}: no detections")
    check_ids(results, truth, options.results)
    with contextlib.redirect_stdout(io.StringIO()):
        overall, by_class = evaluate(truth, results, options.per_image)

    images = len({result["image_id"] for result in results})
    print(f"{len(truth.imgs)} images ({images} with detections), {len(truth.anns)} boxes, {len(results)} detections")
    print(f"{'':12}{'AP':>8}{'AP50':>8}{'AP75':>8}")
    for name, (ap, ap50, ap75) in [("all", overall), *by_class.items()]:
        print(f"{name:12}{ap:8.4f}{ap50:8.4f}{ap75:8.4f}")
    if options.json:
        keys = ("AP", "AP50", "AP75")
        document = {"all": dict(zip(keys, overall)), **{name: dict(zip(keys, m)) for name, m in by_class.items()}}
        with open(options.json, "w") as file:
            json.dump(document, file, indent=1)
    if options.require_ap50 is not None and not overall[1] >= options.require_ap50:
        fail(f"AP50 {overall[1]:.4f} is below {options.require_ap50}")


if __name__ == "__main__":
    main()
