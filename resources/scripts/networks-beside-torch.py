"""How fast networks train and predict here and in PyTorch, one after the other, for docs/performance.md.

python3 resources/scripts/networks-beside-torch.py [--rounds 1] [--batch 16] [--size 160] NETWORK...

Prints a row of Markdown for each network: PyTorch's median step over the one here, the median of the rounds, in training (momentum 0.9) and
inference; peak memory of both programs; seconds to compile. Takes PyTorch and torchvision, two threads, and an idle machine.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEPS = {"train": 3, "infer": 6}


def peer(kind, name, batch, size):
    """Seconds of a median step after two to warm up, and peak MiB of this process, by PyTorch."""
    import torch
    import torchvision

    torch.set_num_threads(2)
    widths = {"vit_ti_16": 192, "vit_s_16": 384}
    if name in widths:
        width = widths[name]
        network = torchvision.models.VisionTransformer(
            image_size=size, patch_size=16, num_layers=12, num_heads=width // 64, hidden_dim=width, mlp_dim=4 * width
        )
    else:
        network = getattr(torchvision.models, name)(weights=None)
    network.train(kind == "train")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9)
    images, labels = torch.randn(batch, 3, size, size), torch.randint(0, 1000, (batch,))

    def step():
        started = time.perf_counter()
        if kind == "train":
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(images), labels).backward()
            optimizer.step()
        else:
            with torch.no_grad():
                network(images)
        return time.perf_counter() - started

    seconds = [step() for _ in range(2 + STEPS[kind])][2:]
    return {"step": statistics.median(seconds), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def peer_apart(*arguments):
    command = [sys.executable, __file__, "--peer", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def here(kind, name, batch, size):
    command = ["npx", "cotune", "bench", kind, "--model", name, "--batch", batch, "--size", size]
    command += ["--steps", STEPS[kind], "--engine", "cpu", "--json"]
    output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, cwd=ROOT).stdout
    bench = json.loads(output)
    peak = bench["memory"]["peak_bytes"] / 2**20
    return {"step": bench["step_s"]["median"], "peak": peak, "compile": bench["compile_s"]["total"]}


def row(name, batch, size, rounds):
    cells = {}
    for kind in STEPS:
        pairs = [(here(kind, name, batch, size), peer_apart(kind, name, batch, size)) for _ in range(rounds)]
        ratios = [theirs["step"] / ours["step"] for ours, theirs in pairs]
        spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if rounds > 1 else ""
        middle = lambda values: statistics.median(values)
        cells[kind] = (
            f"{middle(ratios):.2f}{spread}",
            f"{middle([ours['peak'] for ours, _ in pairs]):,.0f}, {middle([theirs['peak'] for _, theirs in pairs]):,.0f}",
            f"{middle([ours['compile'] for ours, _ in pairs]):.1f}",
        )
    train, infer = cells["train"], cells["infer"]
    return f"| {name} | {train[0]} | {infer[0]} | {train[1]} | {infer[1]} | {train[2]}, {infer[2]} |"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("networks", nargs="+")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--size", type=int, default=160)
    given = options.parse_args()
    for name in given.networks:
        print(row(name, given.batch, given.size, given.rounds), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        kind, name, batch, size = sys.argv[2:]
        print(json.dumps(peer(kind, name, int(batch), int(size))))
    else:
        main()
