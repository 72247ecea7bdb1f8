"""A corpus written by smeartestsrc against pycocotools: it loads, and found where they are its own boxes score 1.

usage: check_smear_corpus.py GST_LAUNCH
Exit status 77 (skipped) where pycocotools is not installed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
except ImportError as error:
    print(f"skipped: {error}; SMEARSCOPE_PYTHON may name an interpreter that has pycocotools")
    sys.exit(77)


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


def write_corpus(gst_launch, folder):
    subprocess.run(
        [gst_launch, "-q", "smeartestsrc", "num-buffers=6", "wbc-density=1500", "platelet-density=3000",
         f"corpus-location={folder}", "!", "video/x-raw,width=320,height=240", "!", "fakesink"],
        check=True, timeout=120)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary) / "corpus"
        write_corpus(sys.argv[1], corpus)
        truth = COCO(str(corpus / "annotations" / "train.json"))
        names = {category["id"]: category["name"] for category in truth.loadCats(truth.getCatIds())}
        check(names == {1: "wbc", 2: "rbc", 3: "platelet"}, f"categories are {names}")
        check(len(truth.getImgIds()) == 6, "not 6 images")
        for image in truth.loadImgs(truth.getImgIds()):
            check((corpus / "images" / image["file_name"]).is_file(), f"{image['file_name']} is missing")

        found = [{"image_id": cell["image_id"], "category_id": cell["category_id"], "bbox": cell["bbox"], "score": 0.9}
                 for cell in truth.dataset["annotations"]]
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        check(evaluation.stats[1] > 0.999, f"its own boxes score AP {evaluation.stats[1]}")


main()
