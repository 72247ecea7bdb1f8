#!/usr/bin/env python3
"""What smearscope-train evaluate says of real predictions, against pycocotools on the same.

usage: real_predictions.py --coco VAL.json --results RESULTS.json --report REPORT.json [--other REPORT.json]

VAL.json: the corpus part, without ignore regions and parents of classes, which LVIS doesn't know; RESULTS.json, REPORT.json: what --results and --json wrote. --other: the report of the same model
through something else; its COCO figures may differ by up to 0.0005. Exit status 0: equal to 1e-6, 1: not, 77:
pycocotools is missing.
"""
import argparse
import json
import sys

import coco_figures


def ours(report):
    def twelve(figures):
        return [-1 if figures[key] is None else figures[key] for key in coco_figures.KEYS]

    categories = []
    for c in report["classes"]:
        of_class = next(x for x in report["coco"]["classes"] if x["name"] == c["name"])
        curves = of_class["curves"] or {}
        categories.append({"coco": twelve(of_class["coco"])})
        for iou in ("50", "75"):
            for value in ("precision", "score"):
                categories[-1][f"{value}_{iou}"] = curves.get(f"IoU{iou}", {}).get(value, [])
    return {"coco": twelve(report["coco"]["coco"]), "categories": categories}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--coco", "--results", "--report"):
        parser.add_argument(option, required=True)
    parser.add_argument("--other")
    options = parser.parse_args()
    document, results, report = (json.load(open(path, encoding="utf-8"))
                                 for path in (options.coco, options.results, options.report))
    wrong = coco_figures.differences(ours(report), coco_figures.figures(document, results), options.coco)
    figures = 12 + 12 * len(report["classes"]) + 4 * 101 * sum(c["boxes"] > 0 for c in report["classes"])
    print(f"{len(document['images'])} images, {len(document['annotations'])} boxes, {len(results)} detections: {figures} "
          f"figures, {len(wrong)} differ from pycocotools")
    told = [report["federated"]["coco"][key] for key in coco_figures.KEYS]
    lvis = coco_figures.lvis(document, results)
    if lvis is not None:
        wrong += [f"federated {key}: {a} instead of {b}" for key, a, b in zip(coco_figures.KEYS, told, lvis)
                  if abs((-1 if a is None else a) - b) > 1e-6]
        print(f"federated AP {told[0]:.4f}, LVIS's package {lvis[0]:.4f}")
    if options.other:
        other = json.load(open(options.other, encoding="utf-8"))
        largest = max(abs(a - b) for a, b in zip(ours(report)["coco"], ours(other)["coco"]))
        print(f"largest difference between {report['settings']['through']} and {other['settings']['through']}: "
              f"{largest:.1e}")
        if largest > 5e-4:
            wrong.append(f"{options.other}: differs by {largest}")
    for line in wrong[:30]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
