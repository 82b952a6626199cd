#!/usr/bin/env python3
"""Trains the paper's network in PyTorch, to be timed against other contenders (../README.md has the protocol).

Every variant computes the same: SGD with Nesterov momentum on 1x29x29-20C4-MP2-40C5-MP3-150N-10N with scaled tanh.
"""

import argparse
import json
import math
import multiprocessing
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

VARIANTS = {
    "usual": "eager fp32, NCHW, convolution, tanh, max_pool2d, as tutorials write it",
    "channels-last": "eager fp32, channels-last, tanh after max_pool2d, fused SGD",
    "channels-last-bf16": "eager bf16 autocast, fp32 weights, channels-last, tanh after max_pool2d, fused SGD",
}
# Name, shape and fan-in of the parameters, in the order in which all contenders number them.
PARAMETERS = [
    ("conv1.weight", (20, 1, 4, 4), 16),
    ("conv1.bias", (20,), 16),
    ("conv2.weight", (40, 20, 5, 5), 500),
    ("conv2.bias", (40,), 500),
    ("dense1.weight", (150, 360), 360),
    ("dense1.bias", (150,), 360),
    ("dense2.weight", (10, 150), 150),
    ("dense2.bias", (10,), 150),
]
IMAGES_STREAM, LABELS_STREAM = 8, 9
N_IMAGES = 4096
WARM_UP_STEPS = 12


def hashes(stream, n):
    """The first n numbers of a stream: splitmix64 of (stream, index), so that every language draws the same."""
    z = (np.uint64(stream << 32) + np.arange(1, n + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(stream, shape):
    """fp32 in -1..1, exact in 24 bits."""
    z = hashes(stream, math.prod(shape)) >> np.uint64(40)
    return torch.from_numpy((z.astype(np.float32) / np.float32(2**23) - np.float32(1)).reshape(shape))


class Column(nn.Module):
    """The paper's network; `pool_first` pools before the activation, which is monotonic: the same value, cheaper."""

    def __init__(self, pool_first):
        super().__init__()
        self.pool_first = pool_first
        self.conv1 = nn.Conv2d(1, 20, 4)
        self.conv2 = nn.Conv2d(20, 40, 5)
        self.dense1 = nn.Linear(360, 150)
        self.dense2 = nn.Linear(150, 10)
        parameters = dict(self.named_parameters())
        with torch.no_grad():
            for stream, (name, shape, fan_in) in enumerate(PARAMETERS):
                parameters[name].copy_(uniform(stream, shape) * np.float32(math.sqrt(1 / fan_in)))

    def forward(self, x):
        for conv, size in ((self.conv1, 2), (self.conv2, 3)):
            if self.pool_first:
                x = scaled_tanh(F.max_pool2d(conv(x), size))
            else:
                x = F.max_pool2d(scaled_tanh(conv(x)), size)
        return self.dense2(scaled_tanh(self.dense1(torch.flatten(x, 1))))


def scaled_tanh(x):
    return 1.7159 * torch.tanh(x * (2 / 3))


class Trainer:
    def __init__(self, variant, batch):
        usual = variant == "usual"
        self.batch, self.position = batch, 0
        self.bf16 = variant == "channels-last-bf16"
        images = uniform(IMAGES_STREAM, (N_IMAGES, 1, 29, 29))
        self.labels = torch.from_numpy((hashes(LABELS_STREAM, N_IMAGES) >> np.uint64(32)).astype(np.int64) % 10)
        model = Column(pool_first=not usual)
        if not usual:
            # With one channel a tensor counts as either layout; only these strides say which one is meant.
            images = images.reshape(N_IMAGES, 29, 29, 1).permute(0, 3, 1, 2)
            model = model.to(memory_format=torch.channels_last)
        self.model, self.images = model, images
        self.optimizer = torch.optim.SGD(
            model.parameters(), lr=0.05, momentum=0.9, nesterov=True, fused=None if usual else True
        )

    def step(self):
        images = self.images[self.position : self.position + self.batch]
        labels = self.labels[self.position : self.position + self.batch]
        self.position += self.batch
        if self.position + self.batch > N_IMAGES:
            self.position = 0
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = F.cross_entropy(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        return loss

    def turn(self, n):
        """Trains on at least n images, in whole batches; returns how many and the seconds."""
        steps = max(1, -(-n // self.batch))
        start = time.perf_counter()
        for _ in range(steps):
            loss = self.step()
        seconds = time.perf_counter() - start
        if not math.isfinite(loss.item()):
            raise ArithmeticError(f"the loss is {loss.item()}, expected a finite one")
        return steps * self.batch, seconds


def work(connection, barrier, args):
    """A process beside others: answers each count of images on its pipe, starting when all are ready."""
    try:
        torch.set_num_threads(args.threads)
        trainer = Trainer(args.variant, args.batch)
        trainer.turn(WARM_UP_STEPS * args.batch)
        answer = None
        while True:
            connection.send(answer)
            n = connection.recv()
            barrier.wait()
            answer = trainer.turn(n)
    except EOFError:  # the other end is done
        pass
    except Exception as error:  # for the other end to report
        connection.send(error)


class SideBySide:
    """Processes with a column each; a turn lasts as long as the slowest of them."""

    def __init__(self, args):
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(args.processes)
        self.connections = []
        for _ in range(args.processes):
            ours, theirs = context.Pipe()
            context.Process(target=work, args=(theirs, barrier, args), daemon=True).start()
            theirs.close()  # so that a process that dies is an end of file here
            self.connections.append(ours)
        self.answers()

    def answers(self):
        answers = [connection.recv() for connection in self.connections]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def turn(self, n):
        for connection in self.connections:
            connection.send(-(-n // len(self.connections)))
        turns = self.answers()
        return sum(images for images, _ in turns), max(seconds for _, seconds in turns)


def say(**answer):
    print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--threads", type=int, default=1, help="threads of a process (default 1)")
    parser.add_argument("--processes", type=int, default=1, help="columns side by side, a process each (default 1)")
    parser.add_argument("--batch", type=int, default=128, help=f"images, at most {N_IMAGES} (default 128)")
    parser.add_argument("--check", action="store_true", help="print the losses of the first 5 steps and end")
    args = parser.parse_args()
    if min(args.threads, args.processes, args.batch) < 1 or args.batch > N_IMAGES:
        parser.error(f"expected --threads, --processes and --batch of at least 1, --batch of at most {N_IMAGES}")

    torch.set_num_threads(args.threads)
    name = f"pytorch-{args.variant}"
    if args.check:
        trainer = Trainer(args.variant, args.batch)
        losses = [trainer.step().item() for _ in range(5)]
        say(name=name, precision="bf16" if trainer.bf16 else "fp32", losses=losses)
        return
    if args.processes > 1:
        trainer = SideBySide(args)
    else:
        trainer = Trainer(args.variant, args.batch)
        trainer.turn(WARM_UP_STEPS * args.batch)
    say(
        name=name,
        version=torch.__version__,
        threads=args.threads * args.processes,
        task="train",
        processes=args.processes,
        batch=args.batch,
        detail=VARIANTS[args.variant],
    )
    for line in sys.stdin:
        images, seconds = trainer.turn(int(line))
        say(images=images, seconds=seconds)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # one line, whatever it was: the runner shows it
        sys.exit(f"error: {type(error).__name__}: {' '.join(str(error).split())}")
