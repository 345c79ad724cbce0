"""How fast a BERT trains and predicts here and in PyTorch, one after the other, for docs/performance.md.

python3 resources/scripts/text-beside-torch.py [--rounds 1] [--batch 16] [--length 128] [--steps 3] [--warm 2] [--kinds pretrain,tag,infer] 4x256 12x768

Prints a row of Markdown for each network of so many layers and features: PyTorch's median step over the one here, the median of the rounds;
peak memory of both programs. PyTorch's network is written as Hugging Face's, its masked-language-model head sees the masked pieces
alone, its AdamW spares biases and norms, its gradient is clipped, nothing is dropped. Takes PyTorch, two threads, and an idle machine.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY, TAGS = 28_996, 9


def peer(kind, layers, hidden, batch, length, steps, warm):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(2)
    heads = hidden // 64

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key, self.value, self.out = (nn.Linear(hidden, hidden) for _ in range(4))
            self.up, self.down = nn.Linear(hidden, 4 * hidden), nn.Linear(4 * hidden, hidden)
            self.norm1, self.norm2 = (nn.LayerNorm(hidden, eps=1e-12) for _ in range(2))

        def forward(self, x, bias):
            split = lambda t: t.view(batch, length, heads, 64).permute(0, 2, 1, 3)
            q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
            weights = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(64) + bias, -1)
            mixed = torch.matmul(weights, v).permute(0, 2, 1, 3).reshape(batch, length, hidden)
            x = self.norm1(self.out(mixed) + x)
            return self.norm2(self.down(F.gelu(self.up(x))) + x)

    class Bert(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(VOCABULARY, hidden), nn.Embedding(512, hidden)
            self.kinds, self.norm = nn.Embedding(2, hidden), nn.LayerNorm(hidden, eps=1e-12)
            self.layers = nn.ModuleList(Layer() for _ in range(layers))
            if kind == "pretrain":
                self.transform, self.transform_norm = nn.Linear(hidden, hidden), nn.LayerNorm(hidden, eps=1e-12)
                self.bias = nn.Parameter(torch.zeros(VOCABULARY))
            else:
                self.tags = nn.Linear(hidden, TAGS)

        def forward(self, pieces, present, places):
            x = self.words(pieces) + self.places.weight[:length] + self.kinds.weight[0]
            x = self.norm(x)
            bias = (1 - present)[:, None, None, :] * -1e9
            for layer in self.layers:
                x = layer(x, bias)
            if kind != "pretrain":
                return self.tags(x.view(batch * length, hidden))
            rows = self.transform_norm(F.gelu(self.transform(x.view(batch * length, hidden)[places])))
            return F.linear(rows, self.words.weight, self.bias)

    network = Bert()
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.02)
    flat = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    wide = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    optimizer = torch.optim.AdamW([{"params": wide}, {"params": flat, "weight_decay": 0}], lr=1e-5, weight_decay=0.01)
    pieces = (torch.arange(batch * length) * 7919 % VOCABULARY).view(batch, length)
    present = torch.ones(batch, length)
    count = math.ceil(0.15 * batch * length)
    places = (torch.arange(count) / 0.15).long()
    labels = places * 31 % VOCABULARY if kind == "pretrain" else torch.arange(batch * length) % TAGS

    def step():
        started = time.perf_counter()
        if kind == "infer":
            with torch.no_grad():
                network(pieces, present, places)
        else:
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(network(pieces, present, places), labels).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        return time.perf_counter() - started

    seconds = [step() for _ in range(warm + steps)][warm:]
    return {
        "step": statistics.median(seconds),
        "fastest": min(seconds),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measured(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def row(network, kind, given):
    layers, hidden = network.split("x")
    numbers = list(map(str, [kind, layers, hidden, given.batch, given.length, given.steps, given.warm]))
    pairs = [
        (
            measured(["node_modules/.bin/node", "resources/scripts/text-step.ts", *numbers]),
            measured([sys.executable, __file__, "--peer", *numbers]),
        )
        for _ in range(given.rounds)
    ]
    ratios = [theirs["step"] / ours["step"] for ours, theirs in pairs]
    middle = lambda of, what: statistics.median(pair[of][what] for pair in pairs)
    return (
        f"| {network} | {kind} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
        f"| {middle(0, 'step'):.3f}, {middle(1, 'step'):.3f} | {middle(0, 'peak'):,.0f}, {middle(1, 'peak'):,.0f} |"
    )


def main():
    options = argparse.ArgumentParser()
    options.add_argument("networks", nargs="+")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--length", type=int, default=128)
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--warm", type=int, default=2)
    options.add_argument("--kinds", default="pretrain,tag,infer")
    given = options.parse_args()
    for network in given.networks:
        for kind in given.kinds.split(","):
            print(row(network, kind, given), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        kind, *numbers = sys.argv[2:]
        print(json.dumps(peer(kind, *map(int, numbers))))
    else:
        main()
