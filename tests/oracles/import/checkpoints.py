"""Checkpoints as PyTorch users write them: networks with random weights, and the ways of saving them."""

import argparse
import pickle
import struct
from collections import OrderedDict

import numpy as np
import torch
import torchvision
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops.misc import FrozenBatchNorm2d

import reference


def detector(backbone, classes, frozen, min_side=800, max_side=1333):
    """torchvision's own constructors; `classes` without background."""
    norm = FrozenBatchNorm2d if frozen else torch.nn.BatchNorm2d
    options = {"min_size": min_side, "max_size": max_side}
    if backbone == "resnet50" and not frozen:
        return torchvision.models.detection.fasterrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, num_classes=classes + 1, **options
        )
    return FasterRCNN(
        resnet_fpn_backbone(backbone_name=backbone, weights=None, norm_layer=norm), num_classes=classes + 1, **options
    )


def frozen_copy(model, backbone, classes, eps, **options):
    """The same weights in a network of FrozenBatchNorm2d."""
    frozen = detector(backbone, classes, True, **options)
    frozen.load_state_dict(model.state_dict())
    for module in frozen.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps
    return frozen.eval()


def random_detector(backbone, classes, seed, image, frozen_eps=None, **options):
    """With batch norms whose statistics fit, so that `image` gets plenty of detections."""
    torch.manual_seed(seed)
    model = reference.randomise(detector(backbone, classes, False, **options).eval(), seed, image)
    if frozen_eps is None:
        return model
    # Some variances so small that the epsilon decides.
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var[::7] *= 1e-5
            module.weight.data[::7] *= 1e-3
    return frozen_copy(model, backbone, classes, frozen_eps, **options)


def plain(state):
    return dict(state)


def data_parallel(state):
    return OrderedDict((f"module.{k}", v) for k, v in state.items())


def compiled_parallel(state):
    return OrderedDict((f"module._orig_mod.{k}", v) for k, v in state.items())


def training_checkpoint(state):
    """What torchvision's training script saves (references/detection/train.py)."""
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    with torch.enable_grad():
        weight.sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    return {
        "model": state,
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
        "args": argparse.Namespace(lr=0.1, device="cpu"),
        "epoch": 3,
        "best": np.float64(0.5),
        "rng": torch.get_rng_state(),
        "numpy": np.arange(3.0),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "shape": torch.Size([1, 2]),
        "seen": {1, 2},
        "large": 1 << 90,
    }


def averaged(state):
    """torch.optim.swa_utils.AveragedModel, beside other things."""
    return {"ema": {"n_averaged": torch.tensor(7), **data_parallel(state)}, "step": 12}


def parameters(state):
    return OrderedDict((k, torch.nn.Parameter(v) if v.is_floating_point() else v) for k, v in state.items())


def old_names(state):
    """As torchvision before 0.13 called them; its published files still do."""

    def rename(name):
        for block in ("inner_blocks", "layer_blocks"):
            name = name.replace(f"fpn.{block}.0.0.", f"fpn.{block}.0.").replace(f"fpn.{block}.1.0.", f"fpn.{block}.1.")
            name = name.replace(f"fpn.{block}.2.0.", f"fpn.{block}.2.").replace(f"fpn.{block}.3.0.", f"fpn.{block}.3.")
        return name.replace("rpn.head.conv.0.0.", "rpn.head.conv.")

    return OrderedDict((rename(k), v) for k, v in state.items())


def in_dtype(dtype):
    return lambda state: {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}


def views(state):
    """Not dense: transposed, channels last, sliced, expanded."""
    result = {}
    for name, value in state.items():
        if value.dim() == 4:
            value = value.to(memory_format=torch.channels_last)
        elif value.dim() == 2:
            value = value.t().contiguous().t()
        elif name == "rpn.head.conv.0.0.bias":  # its values are all the same
            value = value[:1].expand(len(value))
        elif value.dim() == 1:
            value = torch.stack([value, value + 1], 1)[:, 0]
        result[name] = value
    return result


def shared(state):
    """All floats in one storage."""
    floats = {k: v for k, v in state.items() if v.is_floating_point()}
    flat = torch.cat([v.flatten() for v in floats.values()])
    result, begin = dict(state), 0
    for name, value in floats.items():
        result[name] = flat[begin : begin + value.numel()].view(value.shape)
        begin += value.numel()
    return result


def save_zip(obj, path):
    torch.save(obj, path)


def save_legacy(obj, path):
    torch.save(obj, path, _use_new_zipfile_serialization=False)


def save_protocol_4(obj, path):
    torch.save(obj, path, pickle_protocol=4)


def save_without_checksums(obj, path):
    """A setting of PyTorch 2.6 and later; before, the same as save_zip."""
    option = getattr(torch.serialization, "set_crc32_options", lambda _: None)
    option(False)
    torch.save(obj, path)
    option(True)


class Old:
    """Pickles of PyTorch 0.3's classes, written by hand: what it wrote no longer exists to be called."""

    def __init__(self, state):
        self.storages, self.pickle = [], b""
        self.pickle = b"\x80\x02ccollections\nOrderedDict\n)R("
        for name, value in state.items():
            self.pickle += self.text(name) + (self.parameter(value) if name.endswith("weight") else self.tensor(value))
        self.pickle += b"u."

    @staticmethod
    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    @staticmethod
    def numbers(values):
        return b"(" + b"".join(b"J" + struct.pack("<i", v) for v in values) + b"t"

    def arguments(self, value):
        key = str(1000 + len(self.storages))
        self.storages.append((key, value.contiguous()))
        kind = b"ctorch\nFloatStorage\n" if value.is_floating_point() else b"ctorch\nLongStorage\n"
        storage = b"(" + self.text("storage") + kind + self.text(key) + self.text("cpu")
        storage += b"J" + struct.pack("<i", value.numel()) + b"NtQ"
        return b"(" + storage + b"K\x00" + self.numbers(value.shape) + self.numbers(value.stride()) + b"t"

    def tensor(self, value):
        return b"ctorch._utils\n_rebuild_tensor\n" + self.arguments(value) + b"R"

    def parameter(self, value):
        state = self.tensor(value) + b"Nccollections\nOrderedDict\n)R\x88\x89"
        return b"ctorch.nn.parameter\nParameter\n)\x81(" + state + b"tb"

    def write(self, path):
        with open(path, "wb") as file:
            for header in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}):
                pickle.dump(header, file, protocol=2)
            file.write(self.pickle)
            pickle.dump([key for key, _ in self.storages], file, protocol=2)
            for _, value in self.storages:
                file.write(struct.pack("<q", value.numel()) + value.numpy().tobytes())


def save_old(state, path):
    Old(state).write(path)
