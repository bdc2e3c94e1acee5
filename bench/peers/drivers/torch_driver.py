"""PyTorch: torch_driver.py THREADS. Reads requests from standard input and answers on file descriptor 3, as serve.ts does."""

import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
replies = os.fdopen(3, "w")


def noise(shape, scale=1.0, stream=0):
    """noise.ts"""
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        h = np.arange(n, dtype=np.uint32) + np.uint32((stream * 0x9E3779B9) & 0xFFFFFFFF)
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    values = scale * (h.astype(np.float64) / 2**31 - 1)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def weight(shape, stream):
    return noise(shape, math.sqrt(3 / shape[1]), stream)


def probed(x):
    flat = x.detach().reshape(-1)
    n = flat.numel()
    return [float(flat[int((j + 0.5) * n / 16)]) for j in range(16)]


def forward(compute):
    def call():
        with torch.no_grad():
            return compute()

    return call, lambda: probed(call())


def matmul(m, k, n):
    a, b = noise([m, k]), noise([k, n], 1, 1)
    return forward(lambda: a @ b)


def linear(k, n):
    # torch.mv: three times as fast as its Linear for one row.
    x, w = noise([k]), noise([n, k], 1, 1)
    return forward(lambda: torch.mv(w, x))


def softmax(shape):
    x = noise(shape, 4)
    return forward(lambda: torch.softmax(x, -1))


def layer_norm(shape):
    x, w, b = noise(shape), noise(shape[-1:], 1, 1), noise(shape[-1:], 1, 2)
    return forward(lambda: F.layer_norm(x, shape[-1:], w, b, 1e-6))


def rms(x, w, eps=1e-5):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * w


def rms_norm(shape):
    x, w = noise(shape), noise(shape[-1:], 1, 1)
    return forward(lambda: rms(x, w))


def gelu(shape):
    x = noise(shape, 4)
    return forward(lambda: F.gelu(x))


def swiglu(shape):
    a, b = noise(shape, 4), noise(shape, 1, 1)
    return forward(lambda: F.silu(a) * b)


def attend(q, k, v, mask):
    scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(-1, -2) + mask
    return torch.softmax(scores, -1) @ v


def causal(tokens):
    return torch.full([tokens, tokens], -math.inf).triu(1)


def attention(heads, tokens, headDim):
    q, k, v = (noise([1, heads, tokens, headDim], 1, stream) for stream in range(3))
    mask = causal(tokens)
    return forward(lambda: attend(q, k, v, mask))


def split(x, heads):
    b, t, d = x.shape
    return x.view(b, t, heads, d // heads).transpose(1, 2)


def merge(x):
    b, h, t, k = x.shape
    return x.transpose(1, 2).reshape(b, t, h * k)


def layer_parts(width, heads, intermediateSize, tokens):
    d, f = width, intermediateSize
    shapes = [[d, d]] * 4 + [[f, d], [f, d], [d, f]]
    weights = [weight(shape, 2 + i) for i, shape in enumerate(shapes)]
    norms = [torch.ones(d), torch.ones(d)]
    half = d // heads // 2
    angles = torch.arange(tokens)[:, None] * 10000.0 ** (-torch.arange(half) / half)
    cos, sin = angles.cos(), angles.sin()
    mask = causal(tokens)

    def turn(x):
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    def layer(x):
        wq, wk, wv, wo, gate, up, down = weights
        a = rms(x, norms[0])
        q, k, v = (split(F.linear(a, w), heads) for w in (wq, wk, wv))
        h = x + F.linear(merge(attend(turn(q), turn(k), v, mask)), wo)
        b = rms(h, norms[1])
        return h + F.linear(F.silu(F.linear(b, gate)) * F.linear(b, up), down)

    return layer, weights + norms, noise([1, tokens, d])


def layer_forward(**sizes):
    layer, _, x = layer_parts(**sizes)
    return forward(lambda: layer(x))


def layer_backward(**sizes):
    layer, weights, x = layer_parts(**sizes)
    seed = noise(x.shape, 1, 1)
    leaves = [x, *weights]
    for leaf in leaves:
        leaf.requires_grad_(True)
    call = lambda: torch.autograd.grad(layer(x), leaves, seed)

    def check():
        found = call()
        return probed(found[0]) + probed(found[1])

    return call, check


def gpt(layers, width, heads, intermediateSize, tokens, batch, vocabulary):
    d, f = width, intermediateSize
    block = [[d, d]] * 4 + [[f, d], [d, f]]
    shapes = [[tokens, d], [vocabulary, d], *(block * layers), [vocabulary, d]]
    weights = [weight(shape, 2 + i) for i, shape in enumerate(shapes)]
    norms = [(torch.ones(d), torch.zeros(d)) for _ in range(2 * layers + 1)]
    parameters = weights + [p for norm in norms for p in norm]
    for p in parameters:
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, foreach=True)
    mask = causal(tokens)
    text = lambda shift: torch.tensor(
        [[(37 * b + 11 * t + t * t) % vocabulary for t in range(shift, tokens + shift)] for b in range(batch)]
    )
    ids, labels = text(0), text(1).reshape(-1)
    norm = lambda x, i: F.layer_norm(x, [d], *norms[i], 1e-5)
    losses = []

    def step():
        optimizer.zero_grad(set_to_none=True)
        x = F.embedding(ids, weights[1]) + weights[0]
        for i in range(layers):
            wq, wk, wv, wo, up, down = weights[2 + 6 * i : 8 + 6 * i]
            a = norm(x, 2 * i)
            q, k, v = (split(F.linear(a, w), heads) for w in (wq, wk, wv))
            x = x + F.linear(merge(attend(q, k, v, mask)), wo)
            x = x + F.linear(F.gelu(F.linear(norm(x, 2 * i + 1), up)), down)
        logits = F.linear(norm(x, 2 * layers), weights[-1])
        loss = F.cross_entropy(logits.view(-1, vocabulary), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    def check():
        step()
        return losses[:2]

    return step, check


MAKERS = {
    "matmul": matmul,
    "linear": linear,
    "softmax": softmax,
    "layerNorm": layer_norm,
    "rmsNorm": rms_norm,
    "gelu": gelu,
    "swiglu": swiglu,
    "attention": attention,
    "layer": layer_forward,
    "layerBackward": layer_backward,
    "gpt": gpt,
}

ready = None


def timed():
    start = time.perf_counter()
    ready()
    return 1000 * (time.perf_counter() - start)


def answer(request):
    global ready
    if request["do"] == "prepare":
        sizes = request["spec"]
        ready, check = MAKERS[sizes.pop("kind")](**sizes)
        first = timed()
        checked = check()
        # Until malloc has found places for large results whose pages it keeps, which takes some calls.
        end = time.perf_counter() + 1
        for _ in range(10):
            if time.perf_counter() < end:
                timed()
        return {"first": first, "check": checked}
    if request["warm"]:
        timed()
    samples = []
    end = time.perf_counter() + request["seconds"]
    while len(samples) < request["least"] or time.perf_counter() < end:
        samples.append(timed())
    return {"samples": samples}


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply), file=replies, flush=True)
