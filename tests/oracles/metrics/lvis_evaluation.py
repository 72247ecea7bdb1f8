"""Figures by LVIS's own package."""
import logging
import sys
import types

import numpy

if not hasattr(numpy, "float"):
    numpy.float = float  # LVIS's package is older than NumPy 1.24
sys.modules.setdefault("lvis.vis", types.SimpleNamespace(LVISVis=None))  # draws, with packages that aren't needed here
from lvis import LVIS, LVISEval, LVISResults  # noqa: E402

logging.getLogger("lvis").setLevel(logging.ERROR)


def index_of(document, kind=LVIS):
    data = kind.__new__(kind)  # its constructor reads a file
    data.logger = logging.getLogger("lvis.lvis")
    data.dataset = document
    data._create_index()
    return data


def figures(document, results):
    """AP, AP50, AP75, and AP of small, medium and large boxes."""
    truth = index_of(document)
    if results:
        found = LVISResults(truth, [dict(result) for result in results], max_dets=-1)
    else:
        found = index_of({**document, "annotations": []}, LVISResults)  # LVISResults refuses an empty list
    evaluation = LVISEval(truth, found, "bbox")
    evaluation.params.max_dets = -1
    evaluation.run()
    return [float(evaluation.results[key]) for key in ("AP", "AP50", "AP75", "APs", "APm", "APl")]
