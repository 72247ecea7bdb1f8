"""What must not be imported: other networks, whole objects, and pickles that would run something."""

import os
import pickle

import torch
import torchvision
from torchvision.models import detection

import checkpoints as c


class Runs:
    """Unpickling it calls `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def networks():
    none = {"weights": None, "weights_backbone": None}
    yield "Mask R-CNN", detection.maskrcnn_resnet50_fpn(**none), "a Mask R-CNN"
    yield "Keypoint R-CNN", detection.keypointrcnn_resnet50_fpn(**none), "a Keypoint R-CNN"
    yield "RetinaNet", detection.retinanet_resnet50_fpn(**none), "a RetinaNet"
    yield "FCOS", detection.fcos_resnet50_fpn(**none), "an FCOS"
    yield "SSD", detection.ssd300_vgg16(**none), "an SSD"
    yield "Faster R-CNN, second version", detection.fasterrcnn_resnet50_fpn_v2(**none), "fasterrcnn_resnet50_fpn_v2"
    yield "Faster R-CNN, MobileNet", detection.fasterrcnn_mobilenet_v3_large_fpn(**none), "MobileNet"
    yield "Faster R-CNN, ResNet-101", c.detector("resnet101", 3, True), "a ResNet-101"
    yield "ResNet-152", torchvision.models.resnet152(weights=None), "a ResNet-152"
    yield "ResNeXt-50", torchvision.models.resnext50_32x4d(weights=None), "a ResNeXt"
    yield "Wide ResNet-50", torchvision.models.wide_resnet50_2(weights=None), "a Wide ResNet"
    yield "VGG-11", torchvision.models.vgg11(weights=None), "another classifier"
    yield "ViT", torchvision.models.vit_b_16(weights=None), "a Vision Transformer"
    yield "no network at all", torch.nn.Sequential(torch.nn.Linear(2, 2)), "doesn't know"


def refusal(programs, path, part):
    """[] if it is refused with one line that has `part`, and nothing was written."""
    output = programs.folder / "refused.safetensors"
    result = programs.run("import", path, "--output", output)
    lines = result.stderr.strip().splitlines()
    if result.returncode != 1 or len(lines) != 1 or part not in lines[0] or output.exists():
        return [f"status {result.returncode}, said {result.stdout + result.stderr!r}, expected {part!r}"]
    return []


def hostile(marker):
    command = f"touch {marker}"
    yield "os.system", Runs(os.system, command), f"'{os.system.__module__}.system' is not data"
    yield "eval", Runs(eval, f"__import__('os').system({command!r})"), "eval' is not data"
    yield "getattr", Runs(getattr, os, "system"), "is not data"
    yield "torch.load", Runs(torch.load, "x.pth"), "is not data"
    yield "pickle.loads", Runs(pickle.loads, b"."), "loads' is not data"


def check(programs):
    path = programs.folder / "refused.pth"
    for name, network, part in networks():
        torch.save(network.state_dict(), path)
        yield f"refused: {name}", refusal(programs, path, part)
    network = torchvision.models.resnet18(weights=None)
    torch.save(network, path)
    yield "refused: a whole object", refusal(programs, path, "is not data: refused (of a network, save the state_dict())")
    torch.jit.script(network).save(str(path))
    yield "refused: TorchScript", refusal(programs, path, "TorchScript")
    torch.save({"epoch": 3}, path)
    yield "refused: no state dict", refusal(programs, path, "no state dict")
    marker = programs.folder / "was-run"
    state = network.state_dict()
    for save in (c.save_zip, c.save_legacy, c.save_protocol_4):
        for name, danger, part in hostile(marker):
            try:
                save({"model": state, "extra": danger}, path)
            except TypeError:  # a module cannot be pickled
                continue
            problems = refusal(programs, path, part)
            yield f"refused: {name}, {save.__name__}", problems + (["it was run"] if marker.exists() else [])
