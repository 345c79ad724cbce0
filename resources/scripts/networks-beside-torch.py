"""How fast networks train and predict here and in PyTorch, one after the other, for docs/performance.md.

python3 resources/scripts/networks-beside-torch.py [--only training|inference] [--rounds 1] [--steps N] [--batch 16] [--size 160] NETWORK...

Prints a row of Markdown for each network and kind of step: PyTorch's median step over the one here, the median of the rounds; peak memory of
both programs in MiB, here and there; seconds to compile. Seconds of every round go to the standard error. Training is with momentum 0.9.
Takes PyTorch and torchvision, two threads, and an idle machine.
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
KINDS = {"training": "train", "inference": "infer"}
STEPS = {"train": 3, "infer": 6}


def peer(kind, name, batch, size, steps):
    """Seconds of a median step after two to warm up, and peak MiB of this process, by PyTorch."""
    import torch
    import torchvision

    torch.set_num_threads(2)
    widths = {"vit_ti_16": 192, "vit_s_16": 384, "vit_b_16": 768}
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

    seconds = [step() for _ in range(2 + steps)][2:]
    return {"step": statistics.median(seconds), "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def peer_apart(*arguments):
    command = [sys.executable, __file__, "--peer", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def here(kind, name, batch, size, steps):
    command = ["npx", "cotune", "bench", kind, "--model", name, "--batch", batch, "--size", size]
    command += ["--steps", steps, "--engine", "cpu", "--json"]
    output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, cwd=ROOT).stdout
    bench = json.loads(output)
    peak = bench["memory"]["peak_bytes"] / 2**20
    return {"step": bench["step_s"]["median"], "peak": peak, "compile": bench["compile_s"]["total"]}


def row(kind, given, name):
    measure = (KINDS[kind], name, given.batch, given.size, given.steps or STEPS[KINDS[kind]])
    pairs = []
    for _ in range(given.rounds):
        ours, theirs = here(*measure), peer_apart(*measure)
        print(f"{name}: {ours['step']:.3f} s a step here, {theirs['step']:.3f} s in PyTorch", file=sys.stderr, flush=True)
        pairs.append((ours, theirs))
    ratios = [theirs["step"] / ours["step"] for ours, theirs in pairs]
    spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if given.rounds > 1 else ""
    medians = [statistics.median(program["peak"] for program in programs) for programs in zip(*pairs)]
    compiled = statistics.median(ours["compile"] for ours, _ in pairs)
    peaks = ", ".join(f"{peak:,.0f}" for peak in medians)
    return f"| {name} | {kind} | {statistics.median(ratios):.2f}{spread} | {peaks} | {compiled:.1f} |"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("networks", nargs="+")
    options.add_argument("--only", choices=KINDS)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--steps", type=int)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--size", type=int, default=160)
    given = options.parse_args()
    for name in given.networks:
        for kind in [given.only] if given.only else KINDS:
            print(row(kind, given, name), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        kind, name, *numbers = sys.argv[2:]
        print(json.dumps(peer(kind, name, *map(int, numbers))))
    else:
        main()
