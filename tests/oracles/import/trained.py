"""Training that begins with a checkpoint."""

import json

import numpy as np
import torch
from PIL import Image
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

import checkpoints as c
import model_file

REGIMEN = """
name = "fine-tuning"
start = "weights"
[network]
backbone = "resnet18"
frozen_batch_norm = true
frozen_stages = 2
min_side = 192
max_side = 320
[training]
epochs = 1
batch_size = 1
learning_rate = 0.001
"""


def write_corpus(folder, classes, pixels):
    """One image with two cells of each class."""
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    Image.fromarray(pixels).save(folder / "images" / "000001.png")
    height, width = pixels.shape[:2]
    image = {"id": 1, "file_name": "000001.png", "width": width, "height": height, "source": "made", "source_file": "1.png"}
    image |= {"neg_category_ids": [], "not_exhaustive_category_ids": []}
    annotations = []
    for i in range(2 * len(classes)):
        annotation = {"id": i + 1, "image_id": 1, "category_id": i % len(classes) + 1, "area": 6400, "iscrowd": 0}
        annotation |= {"bbox": [20 + 80 * i, 40 + 30 * i, 80, 80], "segmentation": [], "box_origin": "labelled"}
        annotations.append(annotation)
    categories = [{"id": i + 1, "name": name, "supercategory": "cell"} for i, name in enumerate(classes)]
    document = {"images": [image], "annotations": annotations, "categories": categories}
    (folder / "annotations" / "train.json").write_text(json.dumps(document))


class Trainer:
    def __init__(self, programs, pixels):
        self.programs, self.folder, self.runs = programs, programs.folder / "training", 0
        for classes in (["wbc", "rbc", "platelet"], ["wbc", "rbc"]):
            write_corpus(self.folder / f"corpus-{len(classes)}", classes, pixels)
        (self.folder / "regimen.toml").write_text(REGIMEN)

    def run(self, init, classes, *settings):
        """(exit status, what was said, tensors)"""
        self.runs += 1
        output = self.folder / f"run-{self.runs}"
        words = ["train", "--corpus", self.folder / f"corpus-{classes}", "--regimen", self.folder / "regimen.toml"]
        words += ["--output", output, "--init", init]
        for setting in settings:
            words += ["--set", setting]
        result = self.programs.run(*words)
        model = output / "model.safetensors"
        if model.exists():
            (self.programs.folder / "model.safetensors").write_bytes(model.read_bytes())
        return result.returncode, result.stderr, model_file.read(model)[1] if model.exists() else {}


def state_of(model):
    return {k: v.detach() for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}


def what_trains(trainer, path, model):
    """The tensors that one step changes are those that torchvision trains with trainable_backbone_layers=3."""
    status, said, tensors = trainer.run(path, 3)
    if status != 0 or "all weights taken" not in said:
        return [f"status {status}: {said}"]
    before = state_of(model)
    changed = {name for name in before if not torch.equal(before[name], tensors[name])}
    trainable = FasterRCNN(resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=3), num_classes=4)
    expected = {name for name, parameter in trainable.named_parameters() if parameter.requires_grad}
    return [f"differ in {sorted(changed ^ expected)[:3]}"] if changed != expected else []


def other_epsilon(trainer, path, model, images, detections_differ):
    """COCO_V1's frozen batch norms have another epsilon than the trainer's: the network still computes the same."""
    status, said, tensors = trainer.run(path, 3, "training.learning_rate=0.0", "network.min_side=800",
                                        "network.max_side=1333")
    if status != 0:
        return [f"status {status}: {said}"]
    unchanged = [k for k, v in state_of(model).items() if torch.equal(v, tensors[k])]
    if "backbone.body.bn1.running_var" not in unchanged or "backbone.body.bn1.weight" in unchanged:
        return ["not rescaled as expected"]
    return detections_differ(trainer.programs, model, images)[1]


def other_classes(trainer, path, model):
    status, said, tensors = trainer.run(path, 2, "training.learning_rate=0.0")
    if status != 0 or "made anew with random values: box predictor (classes 2, not 3)" not in said:
        return [f"status {status}: {said}"]
    return [k for k, v in state_of(model).items() if "box_predictor" not in k and not torch.equal(v, tensors[k])]


def backbone_alone(trainer, path):
    model = c.torchvision.models.resnet18(weights=None)
    torch.save(model.state_dict(), path)
    status, said, tensors = trainer.run(path, 2, "training.learning_rate=0.0")
    if status != 0 or "taken: backbone; made anew" not in said:
        return [f"status {status}: {said}"]
    return [k for k, v in state_of(model).items() if not k.startswith("fc.") and not torch.equal(v, tensors["backbone.body." + k])]


def other_backbone(trainer, path):
    torch.save(c.torchvision.models.resnet34(weights=None).state_dict(), path)
    status, said, _ = trainer.run(path, 2)
    good = status == 1 and len(said.strip().splitlines()) == 1 and "a resnet34, but a resnet18 is wanted" in said
    return [] if good else [f"status {status}: {said}"]


def check(programs, images, detections_differ):
    trainer = Trainer(programs, np.ascontiguousarray(images[0]))
    path = programs.folder / "init.pth"
    image = torch.from_numpy(images[0]).permute(2, 0, 1).float() / 255
    model = c.random_detector("resnet18", 3, 3, image, 1e-5)
    torch.save(model.state_dict(), path)
    yield "--init: what trains", what_trains(trainer, path, model)
    yield "--init: other classes", other_classes(trainer, path, model)
    yield "--init: backbone alone", backbone_alone(trainer, path)
    yield "--init: another backbone", other_backbone(trainer, path)
    model = c.random_detector("resnet18", 3, 3, image, 0.0)
    torch.save(model.state_dict(), path)
    imported = programs.folder / "eps-0.safetensors"
    programs.run("import", path, "--output", imported, "--batch-norm-eps", "0", "--classes", "wbc,rbc,platelet")
    yield "--init: another epsilon", other_epsilon(trainer, imported, model, images, detections_differ)
