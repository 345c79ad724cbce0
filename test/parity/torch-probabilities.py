"""Probabilities of images by torchvision's networks with weights from safetensors files.

Reads a JSON list of {architecture, weights, classes, images, shape, out} from standard input; `images` and `out` are files of
float32 numbers, [batch, side, side, 3] and [batch, classes].
"""

import json
import struct
import sys

import numpy as np
import torch
import torchvision
from torchvision.models import vision_transformer

# The smaller vision transformers have no function of their own in torchvision.
SMALL_TRANSFORMERS = {"vit_ti_16": 3, "vit_s_16": 6}


def model(architecture, classes, side):
    if architecture.startswith("vit_"):
        heads = SMALL_TRANSFORMERS.get(architecture, 12)
        return vision_transformer.VisionTransformer(
            image_size=side, patch_size=16, num_layers=12, num_heads=heads, hidden_dim=64 * heads,
            mlp_dim=256 * heads, num_classes=classes)
    return getattr(torchvision.models, architecture)(num_classes=classes)


def tensors(path):
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    for name, spec in header.items():
        if name != "__metadata__":
            begin, end = spec["data_offsets"]
            values = np.frombuffer(data[8 + length + begin:8 + length + end], np.float32).copy()
            yield name, torch.from_numpy(values.reshape(spec["shape"]))


with torch.no_grad():
    for job in json.load(sys.stdin):
        images = np.fromfile(job["images"], np.float32).reshape(job["shape"])
        network = model(job["architecture"], job["classes"], job["shape"][1]).eval()
        loaded = network.load_state_dict(dict(tensors(job["weights"])), strict=False)
        # A count of batches is no weight: torchvision's networks do not need it.
        missing = [name for name in loaded.missing_keys if not name.endswith("num_batches_tracked")]
        if missing or loaded.unexpected_keys:
            sys.exit(f"{job['architecture']}: missing {missing}, unexpected {loaded.unexpected_keys}")
        logits = network(torch.from_numpy(images).permute(0, 3, 1, 2))
        torch.softmax(logits, 1).numpy().tofile(job["out"])
