"""torchvision's Faster R-CNN for a model document, and random weights for it that detect plenty."""

import math

import torch
import torchvision
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection import transform as image_transform
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead


def resize_in_float64(image, min_size, max_size, target=None, fixed_size=None):
    """What newer torchvision does."""
    height, width = image.shape[-2:]
    scale = min(min_size / min(height, width), max_size / max(height, width))
    size = (math.floor(height * scale), math.floor(width * scale))
    return torch.nn.functional.interpolate(image[None], size=size, mode="bilinear", align_corners=False)[0], target


# Older torchvision (0.14 does, 0.26 doesn't) has the scale in float32: some sides come out one pixel smaller.
if image_transform._resize_image_and_masks(torch.zeros(3, 406, 460), 256.0, 1333.0)[0].shape[1] == 255:
    image_transform._resize_image_and_masks = resize_in_float64


def document(backbone="resnet50", fpn_channels=256, head_width=1024, classes=25, min_side=800, max_side=1333):
    """The JSON document of a model with torchvision's own constants."""
    return {
        "version": 1,
        "name": f"{backbone}-{fpn_channels}-random",
        "architecture": {
            "backbone": backbone,
            "fpn_channels": fpn_channels,
            "head_width": head_width,
            "batch_norm_eps": 1e-5,
            "anchor_sizes": [[32], [64], [128], [256], [512]],
            "anchor_ratios": [0.5, 1.0, 2.0],
            "rpn_pre_nms_top_n": 1000,
            "rpn_post_nms_top_n": 1000,
            "rpn_nms_threshold": 0.7,
        },
        "classes": [f"class-{i}" for i in range(classes)],
        "transform": {
            "min_side": min_side,
            "max_side": max_side,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
            "adjustment": {"contrast": 1.0, "brightness": 0.0, "unsharp_amount": 0.0, "unsharp_sigma": 1.0},
        },
        "thresholds": {"score": 0.05, "nms": 0.5, "max_detections": 100},
    }


def build(document):
    """The network in evaluation mode. fasterrcnn_resnet50_fpn's own builder where that can express it."""
    architecture, transform, thresholds = document["architecture"], document["transform"], document["thresholds"]
    classes = len(document["classes"]) + 1
    options = {
        "min_size": transform["min_side"],
        "max_size": transform["max_side"],
        "image_mean": transform["mean"],
        "image_std": transform["std"],
        "rpn_anchor_generator": AnchorGenerator(
            tuple(tuple(sizes) for sizes in architecture["anchor_sizes"]),
            (tuple(architecture["anchor_ratios"]),) * len(architecture["anchor_sizes"]),
        ),
        "rpn_pre_nms_top_n_test": architecture["rpn_pre_nms_top_n"],
        "rpn_post_nms_top_n_test": architecture["rpn_post_nms_top_n"],
        "rpn_nms_thresh": architecture["rpn_nms_threshold"],
        "box_score_thresh": thresholds["score"],
        "box_nms_thresh": thresholds["nms"],
        "box_detections_per_img": thresholds["max_detections"],
    }
    width, head = architecture["fpn_channels"], architecture["head_width"]
    if architecture["backbone"] == "resnet50" and width == 256 and head == 1024:
        model = torchvision.models.detection.fasterrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, num_classes=classes, **options
        )
    else:
        trunk = torchvision.models.resnet.__dict__[architecture["backbone"]](weights=None)
        stages = [trunk.inplanes // 8, trunk.inplanes // 4, trunk.inplanes // 2, trunk.inplanes]
        layers = {f"layer{i + 1}": str(i) for i in range(4)}
        model = FasterRCNN(
            BackboneWithFPN(trunk, layers, stages, width),
            box_head=TwoMLPHead(width * 49, head),
            box_predictor=FastRCNNPredictor(head, classes),
            **options,
        )
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = architecture["batch_norm_eps"]
    return model.eval()


@torch.no_grad()
def randomise(model, seed, image):
    """Random weights under which `image` gets plenty of detections of all classes.

    torchvision's own initialisation, then: every batch norm gets random gains and shifts and the statistics of its
    input on `image`; the last layers are scaled so that logits and deltas have a sensible range. In particular no
    sigmoid or softmax saturates: equal scores have no order that two implementations could agree on.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(like, low, high):
        return torch.rand(like.shape, generator=generator) * (high - low) + low

    last_norm = ".bn3." if "backbone.body.layer1.0.conv3.weight" in dict(model.named_parameters()) else ".bn2."
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            fan_in = parameter[0].numel()
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * (2.0 / fan_in) ** 0.5)
        elif name.endswith("bias"):
            parameter.copy_(uniform(parameter, -0.1, 0.1))
        else:  # gain of a batch norm; small in the last of a residual branch
            parameter.copy_(uniform(parameter, 0.2, 0.5) if last_norm in name else uniform(parameter, 0.7, 1.3))

    def set_statistics(norm, inputs):
        norm.running_mean.copy_(inputs[0].mean((0, 2, 3)) * uniform(norm.running_mean, 0.8, 1.2))
        norm.running_var.copy_(inputs[0].var((0, 2, 3)) * uniform(norm.running_var, 0.8, 1.2) + 1e-3)

    def set_largest(largest):
        def hook(layer, inputs, output):  # once per pyramid level: the level with the largest values decides
            factor = min(1.0, largest / float(output.abs().max()))
            layer.weight.mul_(factor)
            layer.bias.mul_(factor)
            return output * factor

        return hook

    hooks = [m.register_forward_pre_hook(set_statistics) for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    hooks += [
        layer.register_forward_hook(set_largest(largest))
        for layer, largest in [
            (model.rpn.head.cls_logits, 5.0),
            (model.rpn.head.bbox_pred, 2.0),
            (model.roi_heads.box_predictor.cls_score, 6.0),
            (model.roi_heads.box_predictor.bbox_pred, 4.0),
        ]
    ]
    model([image])
    for hook in hooks:
        hook.remove()
    return model
