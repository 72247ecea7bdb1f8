"""Model files (docs/model-format.md) without our own code: written from a state dict, read into one."""

import json
import struct

import numpy as np
import torch

DTYPES = {"F32": np.float32, "F16": np.float16, "I8": np.int8}


def write(path, document, state):
    """Writes float32 tensors and the JSON document as a safetensors file."""
    tensors = {k: v.detach().float().contiguous() for k, v in state.items() if not k.endswith("num_batches_tracked")}
    header = {"__metadata__": {"smearscope": json.dumps(document)}}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.numpy().tobytes())


def read(path):
    """(document, state dict in float32)."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    document = json.loads(header.pop("__metadata__")["smearscope"])
    state = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] == "BF16":
            bits = np.frombuffer(data[begin:end], np.uint16).astype(np.uint32) << 16
            values = bits.view(np.float32)
        else:
            values = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).astype(np.float32)
        state[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    for name in [name for name in state if name + ".scale" in state]:
        state[name] *= state.pop(name + ".scale").view(-1, *[1] * (state[name].dim() - 1))
    return document, state
