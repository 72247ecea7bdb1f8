"""COCO figures by pycocotools (and LVIS), in the order in which Smearscope reports them."""
import contextlib
import io
import sys

try:
    import numpy
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
except ImportError as problem:
    print(f"skipped: {problem}; set SMEARSCOPE_PYTHON to a Python with pycocotools")
    sys.exit(77)

KEYS = ["AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge", "AR1", "AR10", "AR100", "ARsmall", "ARmedium", "ARlarge"]


def mean(values):
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0


def twelve(precision, recall):
    """precision [IoU, recall, class, area, limit], recall [IoU, class, area, limit]."""
    last = precision[..., -1]
    areas = [mean(last[..., area]) for area in range(4)]
    return [areas[0], mean(last[0, ..., 0]), mean(last[5, ..., 0]), *areas[1:],
            *(mean(recall[:, :, 0, limit]) for limit in range(3)),
            *(mean(recall[:, :, area, -1]) for area in (1, 2, 3))]


def figures(document, results):
    """Of a COCO document and a list of results, both as dictionaries."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = document
        truth.createIndex()
        # loadRes refuses an empty list.
        found = truth.loadRes(results) if results else COCO()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision, recall, scores = (evaluation.eval[key] for key in ("precision", "recall", "scores"))
    overall = twelve(precision, recall)
    assert numpy.allclose(overall, evaluation.stats, atol=1e-12), (overall, evaluation.stats)
    categories = [{"coco": twelve(precision[:, :, k:k + 1], recall[:, k:k + 1]),
                   "precision_50": precision[0, :, k, 0, 2].tolist(), "score_50": scores[0, :, k, 0, 2].tolist(),
                   "precision_75": precision[5, :, k, 0, 2].tolist(), "score_75": scores[5, :, k, 0, 2].tolist()}
                  for k in range(precision.shape[2])]
    return {"coco": overall, "categories": categories}


def lvis(document, results):
    """AP, AP50, AP75, and AP of small, medium and large boxes by LVIS's own package; None where it is missing."""
    try:
        import lvis_evaluation
    except ImportError:
        return None
    return lvis_evaluation.figures(document, results)


def differences(ours, theirs, where, tolerance=1e-6):
    """Lines that say which figures differ; both as `figures` returns them."""
    lines = []

    def compare(name, a, b):
        if abs(a - b) > tolerance:
            lines.append(f"{where}: {name}: {a} instead of {b}")

    for key, a, b in zip(KEYS, ours["coco"], theirs["coco"]):
        compare(key, a, b)
    if len(ours["categories"]) != len(theirs["categories"]):
        lines.append(f"{where}: {len(ours['categories'])} classes instead of {len(theirs['categories'])}")
    for number, (a, b) in enumerate(zip(ours["categories"], theirs["categories"])):
        for key, x, y in zip(KEYS, a["coco"], b["coco"]):
            compare(f"class {number} {key}", x, y)
        if b["coco"][0] == -1:
            continue  # no curve
        for curve in ("precision_50", "score_50", "precision_75", "score_75"):
            for level, (x, y) in enumerate(zip(a[curve], b[curve])):
                compare(f"class {number} {curve}[{level}]", x, y)
    return lines
