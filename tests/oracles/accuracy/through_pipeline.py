#!/usr/bin/env python3
"""Detections of a validation part's images as frames of a GStreamer pipeline, as COCO results.

    through_pipeline.py --coco VAL.json --images IMAGES/ --model MODEL --results RESULTS.json

Each image becomes a lossless frame (PNG); celldetect detects on every one, cellreport writes what it found.
GST_PLUGIN_PATH says where the elements are.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coco", required=True)
    parser.add_argument("--images", required=True, type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--results", required=True)
    options = parser.parse_args()
    with open(options.coco) as file:
        truth = json.load(file)
    ids = {category["name"]: category["id"] for category in truth["categories"]}

    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(truth["images"]):
            frame = Image.open(options.images / image["file_name"]).convert("RGB")
            frame.save(f"{folder}/{number:06d}.png", compress_level=1)
        subprocess.run(
            ["gst-launch-1.0", "-q", "multifilesrc", f"location={folder}/%06d.png", "caps=image/png,framerate=5/1",
             "!", "pngdec", "!", "celldetect", "mode=every", f"model={options.model}", "score-threshold=0.01",
             "agnostic-nms-threshold=1",
             "!", "cellreport", f"json-location={folder}/cells.jsonl", "!", "fakesink"], check=True)
        with open(f"{folder}/cells.jsonl") as file:
            frames = [json.loads(line) for line in file]
    if len(frames) != len(truth["images"]):
        sys.exit(f"through_pipeline.py: {len(truth['images'])} images went in, {len(frames)} frames came out")

    results = [{"image_id": image["id"], "category_id": ids[cell["class"]], "bbox": cell["box"],
                "score": cell["confidence"]}
               for image, frame in zip(truth["images"], frames) for cell in frame["cells"]]
    with open(options.results, "w") as file:
        json.dump(results, file)


if __name__ == "__main__":
    main()
