"""Model files against torchvision and safetensors themselves, with the very lines of docs/model-format.md.

usage: check_model_format.py DOCUMENT WRITE_RANDOM_MODEL SMEARSCOPE_MODEL
Exit status 77 (skipped) where torchvision or safetensors is not installed.
"""

import json
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

try:
    import safetensors
    import safetensors.torch
    import torch
    import torchvision
except ImportError as error:
    print(f"skipped: {error}; SMEARSCOPE_PYTHON may name an interpreter that has torchvision and safetensors")
    sys.exit(77)


def python_blocks(document):
    """The Python examples, with the file name of the first left open."""
    return re.findall(r"```python\n(.*?)```", document, re.DOTALL)


def json_example(document):
    return json.loads(re.findall(r"```json\n(.*?)```", document, re.DOTALL)[1])


def run(*words):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout


def check_two_lines(lines, path):
    """A ResNet-50 of full width loads with the two lines; load_state_dict is strict about names and shapes."""
    scope = {"torchvision": torchvision, "safetensors": safetensors}
    exec(lines.replace("model.safetensors", str(path)), scope)
    stored = safetensors.torch.load_file(path)
    loaded = scope["model"].state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in stored.items())


def check_loads(load_model, path):
    """Any model loads with load_model, and detects without NaN."""
    model = load_model(str(path))
    stored = safetensors.torch.load_file(path)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in stored.items())
    with torch.no_grad():
        found = model([torch.rand(3, 96, 128)])[0]
    assert torch.isfinite(found["boxes"]).all()
    print(f"{path.stem}: loads, {len(stored)} tensors, {len(found['boxes'])} detections of noise")


def check_checksum(path):
    """The checksum as the document describes it, by zlib."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    crc = zlib.crc32(data[8 + length :], zlib.crc32(metadata["smearscope"].encode()))
    assert metadata["smearscope_crc32"] == f"{crc:08x}", metadata["smearscope_crc32"]


def check_conversion(program, path, word, dtype, folder):
    """Conversion gives the same bits as torch's; biases and batch norm stay float32."""
    run(program, "convert", path, folder / "converted", "--dtype", word)
    converted = safetensors.torch.load_file(folder / "converted")
    for name, value in safetensors.torch.load_file(path).items():
        expected = value.to(dtype) if value.dim() >= 2 else value
        assert converted[name].dtype == expected.dtype and torch.equal(converted[name], expected), name


def check_int8(program, path, lines, folder):
    """The document's lines make of an int8 file what the program makes of it, within half a step of the original."""
    run(program, "convert", path, folder / "int8", "--dtype", "i8")
    run(program, "convert", folder / "int8", folder / "wide", "--dtype", "f32")
    scope = {"safetensors": safetensors, "path": folder / "int8"}
    exec(lines, scope)
    wide, original = safetensors.torch.load_file(folder / "wide"), safetensors.torch.load_file(path)
    assert scope["state"].keys() == wide.keys() == original.keys()
    for name, value in scope["state"].items():
        assert torch.equal(value, wide[name]), name
        largest = original[name].abs().flatten(1).amax(1).max() if value.dim() > 1 else torch.tensor(0.0)
        assert (value - original[name]).abs().max() <= largest / 127 * 0.5001, name


def main():
    document = Path(sys.argv[1]).read_text(encoding="utf-8")
    writer, program = sys.argv[2:4]
    two_lines, loading, saving, widening = python_blocks(document)
    scope = {}
    exec(loading + saving, scope)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        full = folder / "resnet50-full.safetensors"
        run(writer, "resnet50", 256, 1024, 3, 1, full)
        check_two_lines(two_lines, full)
        check_checksum(full)
        for backbone, fpn, head, classes in (("resnet18", 16, 32, 3), ("resnet34", 24, 40, 1), ("resnet50", 48, 64, 25)):
            path = folder / f"{backbone}.safetensors"
            run(writer, backbone, fpn, head, classes, 7, path)
            check_loads(scope["load_model"], path)
            check_checksum(path)
        for word, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16), ("f32", torch.float32)):
            check_conversion(program, folder / "resnet18.safetensors", word, dtype, folder)
        check_int8(program, folder / "resnet18.safetensors", widening, folder)
        info = json_example(document)
        info["architecture"] |= {"backbone": "resnet50", "fpn_channels": 256, "head_width": 1024}
        # Without pretrained weights torchvision's batch norms are ordinary ones, with num_batches_tracked.
        model = torchvision.models.detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=4)
        assert any(name.endswith("num_batches_tracked") for name in model.state_dict())
        scope["save_model"](model, info, str(folder / "python.safetensors"))
        print(run(program, "verify", folder / "python.safetensors").strip())
    print("good")


main()
