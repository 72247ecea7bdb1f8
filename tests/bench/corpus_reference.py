#!/usr/bin/env python3
"""The corpus in plain Python (Pillow, pandas, OpenCV, numpy): what smearscope-corpus is timed against.

usage: corpus_reference.py DATA OUTPUT [--processes N]    DATA holds bccd/, txl-pbc/, chula-rbc-12/, pbc/

The same work in three steps, each reading what the one before has written: standardise each source (sizes, boxes, scale, classes; files
copied, or scaled down to 640 pixels), merge (copies found by digest and by thumbnails in eight orientations, sequential
names, one table), split (90/10 by class, near-duplicates together). Writes images/, COCO JSON and CSV.
"""
import argparse
import hashlib
import json
import multiprocessing
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from corpus_reference_boxes import central_cell, pixel_size_um, pointed_cells

LONGEST_SIDE = 640
NEAR_DUPLICATE = 0.38
CLASSES = ["wbc", "lymphocyte", "neutrophil", "eosinophil", "basophil", "monocyte", "immature_granulocytes",
           "segmented_neutrophil", "erythroblast", "platelet", "rbc", "normal_rbc", "macrocyte", "microcyte", "spherocyte",
           "target_cell", "stomatocyte", "ovalocyte", "teardrop", "burr_cell", "schistocyte", "uncategorized",
           "hypochromia", "elliptocyte", "sickle_cell"]
CHULA = CLASSES[11:24]
PBC = {"BA": "basophil", "EO": "eosinophil", "ERB": "erythroblast", "LY": "lymphocyte", "MO": "monocyte",
       "PLATELET": "platelet", "MMY": "immature_granulocytes", "MY": "immature_granulocytes",
       "PMY": "immature_granulocytes", "IG": "immature_granulocytes", "SNE": "segmented_neutrophil",
       "BNE": "neutrophil", "NEUTROPHIL": "neutrophil"}
GENERAL = {"WBC": "wbc", "RBC": "rbc", "Platelets": "platelet"}


def images_in(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))


# One function a source: image file, its pixels -> [(label, class, (x, y, w, h))], µm per pixel.

def bccd_labels(path, rgb):
    root = ElementTree.parse(path.parents[1] / "Annotations" / (path.stem + ".xml")).getroot()
    boxes = []
    for cell in root.iter("object"):
        x0, y0, x1, y1 = (float(cell.findtext(f"bndbox/{k}")) for k in ("xmin", "ymin", "xmax", "ymax"))
        boxes.append((cell.findtext("name"), GENERAL[cell.findtext("name")], (x0, y0, x1 - x0, y1 - y0)))
    return boxes, pixel_size_um(rgb)


def txl_labels(path, rgb):
    height, width = rgb.shape[:2]
    boxes = []
    for line in (path.parents[2] / "labels" / path.parent.name / (path.stem + ".txt")).read_text().splitlines():
        if not line.strip():
            continue
        number, x, y, w, h = line.split()
        name = ["WBC", "RBC", "Platelets"][int(number)]
        x, y, w, h = float(x) * width, float(y) * height, float(w) * width, float(h) * height
        boxes.append((name, GENERAL[name], (x - w / 2, y - h / 2, w, h)))
    return boxes, pixel_size_um(rgb)


def chula_labels(path, rgb):
    lines = (path.parents[1] / "Label" / (path.stem + ".txt")).read_text().splitlines()
    cells = [tuple(map(int, line.split())) for line in lines if line.strip()]
    boxes, pixel_size = pointed_cells(rgb, [(x, y) for x, y, _ in cells])
    return [(str(c), CHULA[c], box) for (_, _, c), box in zip(cells, boxes)], pixel_size


def pbc_labels(path, rgb):
    label = path.stem.split("_")[0].upper()
    return [(label, PBC[label], central_cell(rgb))], pixel_size_um(rgb)


SOURCES = {"bccd": ("bccd", bccd_labels), "txl": ("txl-pbc", txl_labels), "chula": ("chula-rbc-12", chula_labels),
           "pbc": ("pbc", pbc_labels)}


def standardise_image(job):
    source, folder, path, name, output = job
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    rgb = np.asarray(Image.open(path).convert("RGB"))
    height, width = rgb.shape[:2]
    boxes, pixel_size = SOURCES[source][1](path, rgb)
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    target = output / "images" / name
    if scale < 1:
        Image.fromarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)).save(target, quality=95)
    else:
        shutil.copyfile(path, target)
    image = dict(file_name=name, width=round(width * scale), height=round(height * scale), source=source,
                 source_file=str(path.relative_to(folder)), sha256=digest, pixel_size_um=pixel_size / scale,
                 part=path.parent.name if source == "txl" else "")
    rows, seen = [], set()
    for label, name, (x, y, w, h) in boxes:
        x0, y0 = max(0.0, x), max(0.0, y)
        x1, y1 = min(float(width), x + w), min(float(height), y + h)
        if x1 <= x0 or y1 <= y0 or (label, x0, y0, x1, y1) in seen:
            continue
        seen.add((label, x0, y0, x1, y1))
        rows.append(dict(file_name=image["file_name"], label=label, category=CLASSES.index(name) + 1,
                         x=x0 * scale, y=y0 * scale, w=(x1 - x0) * scale, h=(y1 - y0) * scale))
    return image, rows


def write_corpus(folder, parts, images, boxes):
    """COCO JSON of each part and one CSV of each table."""
    (folder / "annotations").mkdir(exist_ok=True)
    images = images.assign(id=np.arange(1, len(images) + 1))
    boxes = boxes.merge(images[["file_name", "id"]], on="file_name").rename(columns={"id": "image_id"})
    boxes = boxes.assign(id=np.arange(1, len(boxes) + 1))
    for part, names in parts.items():
        chosen = images[images.file_name.isin(names)]
        cells = boxes[boxes.image_id.isin(chosen.id)]
        annotations = [dict(id=int(r.id), image_id=int(r.image_id), category_id=int(r.category), label=r.label, iscrowd=0,
                            bbox=[round(r.x, 2), round(r.y, 2), round(r.w, 2), round(r.h, 2)], area=round(r.w * r.h, 2))
                       for r in cells.itertuples()]
        document = dict(images=chosen.to_dict("records"), annotations=annotations,
                        categories=[dict(id=i + 1, name=name) for i, name in enumerate(CLASSES)])
        (folder / "annotations" / f"{part}.json").write_text(json.dumps(document))
    images.to_csv(folder / "images.csv", index=False)
    boxes.to_csv(folder / "boxes.csv", index=False)


def standardise(source, data, output, run):
    folder = data / SOURCES[source][0]
    (output / "images").mkdir(parents=True)
    paths = [p for p in images_in(folder)
             if source != "chula" or (folder / "Label" / (p.stem + ".txt")).exists()]
    jobs = [(source, folder, p, p.name, output) for p in paths]
    results = list(run(standardise_image, jobs))
    images = pd.DataFrame([image for image, _ in results])
    boxes = pd.DataFrame([row for _, rows in results for row in rows])
    write_corpus(output, {"all": set(images.file_name)}, images, boxes)


def pattern(path):
    """32x32 thumbnail, each pixel relative to its neighbourhood; all eight orientations, rows of unit length."""
    grey = cv2.cvtColor(np.asarray(Image.open(path).convert("RGB")), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= cv2.blur(small, (7, 7))
    small /= np.sqrt(cv2.blur(small * small, (7, 7))) + 2
    small -= small.mean()
    small /= max(np.linalg.norm(small), 1e-6)
    return np.stack([np.rot90(t, k).ravel() for t in (small, small.T) for k in range(4)])


def near_duplicates(patterns):
    """Pairs (i, j), i < j, whose thumbnails correlate in any orientation. Blocks keep the memory small."""
    upright = np.stack([p[0] for p in patterns])
    pairs = []
    for start in range(0, len(patterns), 256):
        block = np.concatenate(patterns[start:start + 256])
        best = (block @ upright.T).reshape(-1, 8, len(patterns)).max(axis=1)
        rows, columns = np.nonzero(best > NEAR_DUPLICATE)
        pairs += [(start + r, c) for r, c in zip(rows.tolist(), columns.tolist()) if start + r < c]
    return pairs


def merge(folders, output, run):
    (output / "images").mkdir(parents=True)
    images = pd.concat([pd.read_csv(f / "images.csv").assign(folder=str(f)) for f in folders], ignore_index=True)
    boxes = pd.concat([pd.read_csv(f / "boxes.csv").assign(folder=str(f)) for f in folders], ignore_index=True)
    patterns = list(run(pattern, [Path(f) / "images" / n for f, n in zip(images.folder, images.file_name)]))
    pairs = near_duplicates(patterns)
    copies = images[images.duplicated("sha256")].index.tolist()
    dropped = set(copies) | {j for i, j in pairs}
    kept = images.drop(index=sorted(dropped)).reset_index(drop=True)
    kept["new_name"] = [f"{i + 1:06d}{Path(n).suffix.lower()}" for i, n in enumerate(kept.file_name)]
    for row in kept.itertuples():
        shutil.copyfile(Path(row.folder) / "images" / row.file_name, output / "images" / row.new_name)
    boxes = boxes.merge(kept[["folder", "file_name", "new_name"]], on=["folder", "file_name"])
    boxes = boxes.drop(columns=["file_name", "folder", "id", "image_id"]).rename(columns={"new_name": "file_name"})
    kept = kept.drop(columns=["file_name", "folder", "id"]).rename(columns={"new_name": "file_name"})
    write_corpus(output, {"all": set(kept.file_name)}, kept, boxes)
    images.loc[sorted(dropped)].to_csv(output / "left_out.csv", index=False)


def split(folder, output, share=0.1, seed=1):
    """The rarest class first: each class gives its share of images to val, if it isn't there already."""
    shutil.copytree(folder / "images", output / "images")
    images, boxes = pd.read_csv(folder / "images.csv"), pd.read_csv(folder / "boxes.csv")
    random, val, train = np.random.default_rng(seed), set(), set()
    by_class = boxes.groupby("category").file_name.unique()
    for names in sorted(by_class, key=len):
        free = random.permutation([n for n in names if n not in val and n not in train])
        wanted = max(0, round(share * len(names)) - len(val.intersection(names)))
        val.update(free[:wanted])
        train.update(free[wanted:])
    train.update(set(images.file_name) - val)
    write_corpus(output, {"train": train, "val": val}, images.drop(columns="id"),
                 boxes.drop(columns=["id", "image_id"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    pool = multiprocessing.Pool(arguments.processes) if arguments.processes > 1 else None
    run = (lambda f, jobs: pool.imap(f, jobs, chunksize=16)) if pool else map
    folders = []
    for source in SOURCES:
        folders.append(arguments.output / source)
        standardise(source, arguments.data, folders[-1], run)
    merge(folders, arguments.output / "merged", run)
    split(arguments.output / "merged", arguments.output / "corpus")


if __name__ == "__main__":
    main()
