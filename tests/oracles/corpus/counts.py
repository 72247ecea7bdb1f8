#!/usr/bin/env python3
"""Counts labels straight from the data sets' own files and holds a corpus to them.

usage: counts.py CORPUS --data FOLDER      FOLDER holds bccd/, txl-pbc/, chula-rbc-12/, pbc/

Shares no code with the program: standard library only, formats and class names written down here again. For every image file
of every source that the corpus names: it is in the corpus, or provenance.csv says why not; its labels in the corpus are those of
the file, less as many as provenance.csv says were dropped from it; each label has the class that the paper (or the
three-class taxonomy) gives it. Prints a table; exit status 1 if anything differs.
"""
import argparse
import csv
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from pathlib import Path

IMAGE_TYPES = {".jpg", ".jpeg", ".png"}
CHULA = ["normal_rbc", "macrocyte", "microcyte", "spherocyte", "target_cell", "stomatocyte", "ovalocyte", "teardrop",
         "burr_cell", "schistocyte", "uncategorized", "hypochromia", "elliptocyte"]
PBC = {"BA": "basophil", "EO": "eosinophil", "ERB": "erythroblast", "LY": "lymphocyte", "MO": "monocyte",
       "PLATELET": "platelet", "MMY": "immature_granulocytes", "MY": "immature_granulocytes",
       "PMY": "immature_granulocytes", "IG": "immature_granulocytes", "SNE": "segmented_neutrophil",
       "BNE": "neutrophil", "NEUTROPHIL": "neutrophil"}
GENERAL = {"WBC": "wbc", "RBC": "rbc", "Platelets": "platelet"}
PAPER = {"bccd": GENERAL, "txl": GENERAL, "pbc": PBC, "chula": {str(i): name for i, name in enumerate(CHULA)}}

FINER = {label: name for names in PAPER.values() for label, name in names.items()}

# What may happen to a label on its way into a corpus so that it isn't there.
DROPPING_RULES = {"label unreadable", "box without area", "label doubled", "label unknown", "class dropped", "labels contradict"}


def cells_of(fine):
    """The three-class taxonomy's name for a class of the paper's."""
    if fine in ("wbc", "platelet"):
        return fine
    if fine in CHULA or fine == "rbc":
        return "rbc"
    return "wbc"


def bccd(folder):
    """VOC XML: one <object><name> a cell."""
    for image in sorted((folder / "BCCD/JPEGImages").iterdir()):
        root = ElementTree.parse(folder / "BCCD/Annotations" / (image.stem + ".xml")).getroot()
        yield image, Counter(o.findtext("name") for o in root.iter("object"))


def txl(folder):
    """YOLO text: the class number first on each line."""
    names = ["WBC", "RBC", "Platelets"]
    for image in sorted((folder / "TXL_PBC/images").rglob("*")):
        if image.suffix.lower() in IMAGE_TYPES:
            label = folder / "TXL_PBC/labels" / image.parent.name / (image.stem + ".txt")
            yield image, Counter(names[int(line.split()[0])] for line in label.read_text().splitlines() if line.strip())


def chula(folder):
    """x y class on each line."""
    for image in sorted((folder / "Dataset").iterdir()):
        label = folder / "Label" / (image.stem + ".txt")
        if image.suffix.lower() in IMAGE_TYPES and label.exists():
            yield image, Counter(line.split()[2] for line in label.read_text().splitlines() if line.strip())


def pbc(folder):
    """One cell an image; its name is the file name's beginning."""
    for image in sorted((folder / "PBC_dataset_normal_DIB").rglob("*")):
        if image.suffix.lower() in IMAGE_TYPES:
            yield image, Counter([image.stem.split("_")[0].upper()])


SOURCES = {"bccd": (bccd, "bccd"), "txl": (txl, "txl-pbc"), "chula": (chula, "chula-rbc-12"), "pbc": (pbc, "pbc")}


def key_of(path):
    """Enough of a path to tell the images of one source apart."""
    return "/".join(Path(path).parts[-2:])


def read_corpus(folder):
    """(source, key) -> list of (label, class name); and provenance rows by (source, key)."""
    images, rows = {}, defaultdict(list)
    for part in sorted((folder / "annotations").glob("*.json")):
        document = json.loads(part.read_text(encoding="utf-8"))
        names = {c["id"]: c["name"] for c in document["categories"]}
        by_id = {i["id"]: (i["source"], key_of(i["source_file"])) for i in document["images"]}
        for image in by_id.values():
            if image in images:
                sys.exit(f"{part}: {image} is in the corpus twice")
            images[image] = []
        for a in document["annotations"]:
            images[by_id[a["image_id"]]].append((a["label"], names[a["category_id"]]))
    with open(folder / "provenance.csv", newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            rows[row["source"], key_of(row["source_file"])].append(row)
    all_names = {c["name"] for c in document["categories"]}
    return images, rows, "normal_rbc" in all_names


def compare(source, files, images, rows, fine):
    """Yields complaints; fills and returns counts by class: in files, in images left out, dropped, in the corpus."""
    tally, complaints = defaultdict(lambda: [0, 0, 0, 0]), []
    for path, labels in files:
        here = (source, key_of(path))
        classes = {label: PAPER[source].get(label, label) for label in labels}
        if not fine:
            classes = {label: cells_of(name) for label, name in classes.items()}
        for label, count in labels.items():
            tally[classes[label]][0] += count
        if here not in images:
            if not any(row["file"] == "" for row in rows[here]):
                complaints.append(f"{path}: neither in the corpus nor reported as left out")
            for label, count in labels.items():
                tally[classes[label]][1] += count
            continue
        found = Counter(label for label, _ in images[here])
        missing, added = labels - found, found - labels
        reported = sum(row["rule"] in DROPPING_RULES for row in rows[here])
        # A copy's finer label ("class refined") takes the place of one of the file's.
        refined = sum(row["rule"] == "class refined" for row in rows[here])
        if added.total() != refined:
            complaints.append(f"{path}: the corpus has {dict(added)} that the file has not, but {refined} reported as refined")
        if missing.total() != reported + refined:
            complaints.append(f"{path}: {dict(missing)} missing, but {reported} reported as dropped")
        for label, name in images[here]:
            tally[name][3] += 1
            expected = classes.get(label) or (FINER.get(label) if refined else None)
            if expected != name:
                complaints.append(f"{path}: '{label}' is {name} in the corpus, not {expected}")
        for label, count in missing.items():  # with those that a finer label took the place of
            tally[classes[label]][2] += count
        for label, count in added.items():
            tally[FINER.get(label, label)][0] += count
    return tally, complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    images, rows, fine = read_corpus(arguments.corpus)
    wrong, seen = [], 0
    print(f"{'source':8} {'class':24} {'in files':>9} {'left out':>9} {'dropped':>8} {'in corpus':>10}")
    for source in sorted({source for source, _ in [*images, *rows]}):
        if source not in SOURCES:
            sys.exit(f"no independent reader for source '{source}'")
        reader, folder = SOURCES[source]
        files = list(reader(arguments.data / folder))
        tally, complaints = compare(source, files, images, rows, fine)
        wrong += complaints
        seen += sum((source, key_of(path)) in images for path, _ in files)
        for name in sorted(tally):
            numbers = tally[name]
            balance = "" if numbers[0] - numbers[1] - numbers[2] == numbers[3] else "  DIFFERS"
            if balance:
                wrong.append(f"{source} {name}: the numbers don't add up")
            print(f"{source:8} {name:24} {numbers[0]:9} {numbers[1]:9} {numbers[2]:8} {numbers[3]:10}{balance}")
    if seen != len(images):
        wrong.append(f"{len(images) - seen} images of the corpus are not among the sources' files")
    for line in wrong[:50]:
        print(line, file=sys.stderr)
    print(f"{len(images)} images, {sum(map(len, images.values()))} boxes: {'differs' if wrong else 'equal'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
