"""What a pre-trained MobileNetV2 makes of pictures of other sizes, for docs/evidence.md.

python3 resources/scripts/source-head-by-size.py mobilenet_v2.safetensors FOLDER

Of 96 pictures below FOLDER: cross-entropy (nats) of its source predictions against its own at 224 px, and how often both agree, in
evaluation mode and by the statistics of batches of 24. Takes PyTorch, torchvision and a file with TensorFlow's arithmetic: padding
`same`, pixels from -1 to 1. The same figures at every run.
"""

import json
import random
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision import transforms as T

BATCH = 24
PICTURES = 96
TYPES = {"F16": np.float16, "F32": np.float32, "I64": np.int64}


def tensors(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[begin:end], dtype=TYPES[entry["dtype"]])
        yield name, torch.from_numpy(values.astype(np.float32).reshape(entry["shape"]))


def network(weights):
    """Convolutions of stride 2 pad behind an even side only."""
    net = torchvision.models.mobilenet_v2(weights=None)
    missing, unexpected = net.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.stride == (2, 2):
            layer.padding = (0, 0)
            layer.register_forward_pre_hook(
                lambda _, inputs: (torch.nn.functional.pad(inputs[0], (0, 1, 0, 1)),)
            )
    net.classifier[0].p = 0
    return net


def main(path, folder):
    random.seed(0)
    torch.manual_seed(0)
    weights = dict(tensors(path))
    files = random.sample(sorted(Path(folder).rglob("*.jpg")), PICTURES)
    pictures = [Image.open(file).convert("RGB") for file in files]
    to_input = T.Compose([T.ToTensor(), T.Normalize([0.5] * 3, [0.5] * 3)])

    def predictions(view, training):
        net = network(weights).train(training)
        images = torch.stack([to_input(view(picture)) for picture in pictures])
        return torch.cat([net(part) for part in images.split(BATCH)]).log_softmax(1)

    center = lambda side, shorter: T.Compose([T.Resize(shorter), T.CenterCrop(side)])
    views = {f"{side} px, random crops": T.RandomResizedCrop(side) for side in (96, 128, 224)}
    views["96 px, center"] = center(96, 110)
    with torch.no_grad():
        known = predictions(center(224, 256), False)
        for name, view in views.items():
            for mode in ("evaluation", "batch statistics"):
                found = predictions(view, mode != "evaluation")
                entropy = -(known.exp() * found).sum(1).mean()
                agreement = (found.argmax(1) == known.argmax(1)).float().mean()
                print(f"{name}, {mode}: {entropy:.1f} nats, {100 * agreement:.0f} % agree")


if __name__ == "__main__":
    main(*sys.argv[1:])
