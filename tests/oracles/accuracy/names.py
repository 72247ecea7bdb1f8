#!/usr/bin/env python3
"""How labelled cells were found and named, from the confusion in `smearscope-train evaluate --json FILE`, a row per family:
labels that name a kind, how many of these cells were found, and under which names. A name agrees with a label if it is the
same, its family's, or a kind of it."""
import json
import sys


def lines(report):
    names = [c["name"] for c in report["classes"]]
    parent = {c["name"]: c["parent"] for c in report["classes"]}

    def line(name):  # the name and all that it is a kind of
        return [name] + (line(parent[name]) if parent[name] else [])

    counts = {}
    for truth, row in zip(names, report["coco"]["confusion"]):
        if not parent[truth]:
            continue
        total = counts.setdefault(line(truth)[-1], [0, 0, 0, 0])
        for found, cells in zip(names, row):
            total[1] += cells
            total[2] += cells * (found in line(truth) or truth in line(found))
            total[3] += cells * (found == truth)
        total[0] += sum(row)
    return counts


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: names.py EVALUATION.json...")
    for file in sys.argv[1:]:
        with open(file, encoding="utf-8") as opened:
            report = json.load(opened)
        print(file)
        for family, (total, found, agree, exact) in lines(report).items():
            print(f"  kinds of {family}: {total} labelled, found {found / total:.3f}, "
                  f"name agrees {agree / total:.3f}, is the label {exact / total:.3f}")
        shown = sum(sum(row[:-1]) for row in report["coco"]["confusion"])
        print(f"  cells shown: {shown}")


main()
