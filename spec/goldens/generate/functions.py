"""Writes spec/goldens/{ops,functions,modules}: what PyTorch makes of every sample of every op, function and module.

    functions.py FOLDER      (called by run.mjs, which puts the samples into FOLDER)

Value and gradients are computed in float64 from float32 numbers; manifest.json keeps how far the same computation in
float32 is off. One thread and one set of CPU instructions, so that the same bytes come out on any x86-64 machine with AVX2.
"""

import os

os.environ.update(ATEN_CPU_CAPABILITY="avx2", OPENBLAS_CORETYPE="Haswell", OMP_NUM_THREADS="1")

import json
import math
import pathlib
import sys

import torch
import torch.nn.functional as F

from safetensors_io import read, write

OUT = pathlib.Path(__file__).parent.parent
DTYPES = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32, "bool": torch.bool}


# ---- ops: as src/tensor/ops says what they are ---------------------------------------------------------------------


def tril(rows, columns):
    """True where row i of the last `rows` of `columns` positions may look."""
    return torch.ones(rows, columns, dtype=torch.bool).tril(columns - rows)


def softmax(x, causal):
    return torch.softmax(x if not causal else x.masked_fill(~tril(*x.shape[-2:]), -math.inf), -1)


def attention(q, k, v, visible=None, *, causal):
    """Query heads share key heads; a query that sees nothing gives zeros."""
    share = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(share, 1), v.repeat_interleave(share, 1)
    seen = torch.ones(q.shape[0], 1, q.shape[2], k.shape[2], dtype=torch.bool)
    if causal:
        seen = seen & tril(q.shape[2], k.shape[2])
    if visible is not None:
        seen = seen & visible[:, None, None, :]
    scores = (q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
    blind = ~seen.any(-1, keepdim=True)
    p = torch.softmax(scores.masked_fill(~seen & ~blind, -math.inf), -1)
    return p.masked_fill(blind, 0) @ v


def rms_norm(x, weight, eps):
    return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps))


def rotary(x, cos, sin):
    x0, x1 = x.chunk(2, -1)
    c, s = cos.unsqueeze(1), sin.unsqueeze(1)
    return torch.cat([x0 * c - x1 * s, x0 * s + x1 * c], -1)


def sliced(x, axis, start, length, step):
    return x.index_select(axis, torch.tensor([start + i * step for i in range(length)], dtype=torch.long))


def divide(a, b):
    return a / b if a.is_floating_point() else torch.div(a, torch.where(b == 0, 1, b), rounding_mode="trunc") * (b != 0)


def evaluate(case, tensors, dtype):
    """An op: the expression of its cases (src/tensor/ops/*.cases.ts) over the names of its inputs and attributes."""
    text = case["torch"] if dtype == torch.float32 else case.get("truth", case["torch"])
    names = {**dict.fromkeys(case["names"]), **tensors, **case["attrs"], "inputs": list(tensors.values())}
    return eval(text, {**globals(), **names})


# ---- composed functions: as PyTorch has them -----------------------------------------------------------------------


def sfc32(seed):
    """Uniform numbers of src/tensor/random.ts."""
    word = 0xFFFFFFFF
    a, b, c, counter = seed & word, (seed >> 32) & word, 0x9E3779B9, 1

    def draw():
        nonlocal a, b, c, counter
        t = (a + b + counter) & word
        counter = (counter + 1) & word
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & word
        c = ((((c << 21) | (c >> 11)) & word) + t) & word
        return t

    for _ in range(12):
        draw()
    while True:
        yield ((draw() >> 5) * 67108864 + (draw() >> 6)) / 9007199254740992


def dropout(x, p, seed, train=True):
    if not train:
        return x.clone()
    uniform = sfc32(seed)
    kept = torch.tensor([next(uniform) >= p for _ in range(x.numel())], dtype=torch.bool).reshape(x.shape)
    return x * kept / (1 - p) if p < 1 else x * 0


def joined(parts):
    """Several results as one, so that an element in another part is another number."""
    return torch.cat([part.reshape(-1) * (i + 1) for i, part in enumerate(parts)])


def clamp(x, *bounds, min=None, max=None, **names):
    given = {"min": min, "max": max, **dict(zip(names.get("bounds", []), bounds))}
    return torch.clamp(x, **given)


def reduced(f, bare):
    """f over one axis, or over everything (kept with size 1 or not)."""

    def call(x, axis=None, keepDim=False, **attrs):
        if axis is not None:
            return f(x, axis, keepDim, **attrs)
        assert not keepDim
        return bare(x, **attrs)

    return call


def take_along(x, index, axis):
    return torch.take_along_dim(x, index.long(), axis)


def topk(x, k, result, axis=-1, largest=True):
    """Sorted, of equal ones the first (which PyTorch's topk leaves open)."""
    values, indices = torch.sort(x, dim=axis, descending=largest, stable=True)
    return (values if result == "values" else indices.int()).narrow(axis, 0, k)


def cross_entropy(logits, weight=None, *, labels, labelSmoothing=0.0, reduction="mean", ignoreIndex=-100):
    target = torch.tensor(labels, dtype=torch.long)
    return F.cross_entropy(
        logits, target, weight, ignore_index=ignoreIndex, reduction=reduction, label_smoothing=labelSmoothing
    )


def conv2d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


FUNCTIONS = {
    "transpose": lambda x, a, b: x.transpose(a, b),
    "squeeze": lambda x, axis=None: x.squeeze() if axis is None else x.squeeze(axis),
    "unsqueeze": lambda x, axis: x.unsqueeze(axis),
    "flatten": lambda x, start=0, end=-1: x.flatten(start, end),
    "split": lambda x, sizes, axis: joined(x.split(sizes, axis)),
    "chunk": lambda x, count, axis: joined(x.chunk(count, axis)),
    "stack": lambda *parts, axis: torch.stack(parts, axis),
    "minimum": torch.minimum,
    "clamp": clamp,
    "eq": torch.eq,
    "ne": torch.ne,
    "lt": torch.lt,
    "le": torch.le,
    "gt": torch.gt,
    "ge": torch.ge,
    "logicalAnd": torch.logical_and,
    "logicalOr": torch.logical_or,
    "logicalNot": torch.logical_not,
    "mean": reduced(lambda x, axis, keep: x.mean(axis, keep), lambda x: x.mean()),
    "var": reduced(
        lambda x, axis, keep, correction=1: x.var(axis, correction=correction, keepdim=keep),
        lambda x, correction=1: x.var(dim=None, correction=correction),
    ),
    "std": reduced(
        lambda x, axis, keep, correction=1: x.std(axis, correction=correction, keepdim=keep),
        lambda x, correction=1: x.std(dim=None, correction=correction),
    ),
    "norm": reduced(
        lambda x, axis, keep, p=2: torch.norm(x, float(p), axis, keep),
        lambda x, p=2: torch.norm(x, float(p)),
    ),
    "argmax": lambda x, axis: x.argmax(axis).int(),
    "any": reduced(lambda x, axis, keep: x.bool().any(axis, keep), lambda x: x.bool().any()),
    "all": reduced(lambda x, axis, keep: x.bool().all(axis, keep), lambda x: x.bool().all()),
    "logSoftmax": lambda x, axis: torch.log_softmax(x, axis),
    "cumsum": lambda x, axis: x.cumsum(axis, dtype=x.dtype),
    "takeAlongAxis": take_along,
    "topk": topk,
    "oneHot": lambda index, classes, dtype: F.one_hot(index.long(), classes).to(DTYPES[dtype]),
    "tril": lambda x, diagonal=0: x.tril(diagonal),
    "triu": lambda x, diagonal=0: x.triu(diagonal),
    "dropout": dropout,
    "einsum": lambda *operands, equation: torch.einsum(equation, *operands),
    "conv2d": conv2d,
    "crossEntropy": cross_entropy,
}


# ---- modules: inputs and weights by name ---------------------------------------------------------------------------


def rotary_embedding(x, headDim, base, positions):
    frequency = base ** (-torch.arange(0, headDim, 2, dtype=torch.float64) / headDim)
    theta = torch.tensor(positions, dtype=x.dtype)[..., None] * frequency.to(x.dtype)
    return rotary(x, theta.cos(), theta.sin())


MODULES = {
    "Linear": lambda t, a: F.linear(t["x"], t["weight"], t.get("bias")),
    "Embedding": lambda t, a: F.embedding(torch.tensor(a["ids"]), t["weight"]),
    "LayerNorm": lambda t, a: F.layer_norm(t["x"], [a["width"]], t["weight"], t["bias"], a["eps"]),
    "RMSNorm": lambda t, a: rms_norm(t["x"], t["weight"], a["eps"]),
    "RotaryEmbedding": lambda t, a: rotary_embedding(t["x"], **a),
    "SwiGLU": lambda t, a: F.linear(
        F.silu(F.linear(t["x"], t["gate_proj.weight"])) * F.linear(t["x"], t["up_proj.weight"]),
        t["down_proj.weight"],
    ),
    "PatchConv": lambda t, a: F.conv2d(t["x"], t["weight"], t["bias"], stride=a["size"]),
    "attention": lambda t, a: attention(t["q"], t["k"], t["v"], t.get("visible"), causal=a["causal"]),
    "crossEntropy": lambda t, a: F.cross_entropy(t["logits"], torch.tensor(a["labels"])),
}


def call(kind, case, tensors, dtype):
    if kind == "modules":
        return MODULES[case["of"]](tensors, case["attrs"])
    if kind == "functions":
        return FUNCTIONS[case["of"]](*tensors.values(), **case["attrs"])
    return evaluate(case, tensors, dtype)


# ---- running -------------------------------------------------------------------------------------------------------


def run(kind, case, stored, dtype):
    """Results by name: out, and grad.NAME of every input that has a gradient."""
    tensors, leaves = {}, {}
    for entry in case["inputs"]:
        name = entry["name"]
        if "same_as" in entry:
            tensors[name] = tensors[entry["same_as"]]
            continue
        x = torch.from_numpy(stored[f"{case['id']}: in.{name}"])
        if x.is_floating_point():
            x = x.to(dtype)
        if entry["gradient"]:
            leaves[name] = x = x.requires_grad_()
        tensors[name] = x
    out = call(kind, case, tensors, dtype)
    results = {"out": out.detach()}
    if case["backward"]:
        dy = torch.from_numpy(stored[f"{case['id']}: dy"]).to(out.dtype)
        out.backward(dy)
        for name, leaf in leaves.items():
            grad = leaf.grad if leaf.grad is not None else torch.zeros_like(leaf)
            results[f"grad.{name}"] = grad
    return results


def error_of(truth, single, where):
    """Largest absolute error of the float32 result; NaN and infinities have to be where the truth has them."""
    if not truth.is_floating_point():
        assert torch.equal(truth, single), where
        return 0.0
    truth, single = truth.double(), single.double()
    finite = truth.isfinite()
    same = torch.equal(finite, single.isfinite()) and torch.equal(truth.isnan(), single.isnan())
    assert same and torch.equal(truth[truth.isinf()], single[truth.isinf()]), where
    off = (truth - single)[finite].abs()
    return off.max().item() if off.numel() > 0 else 0.0


def main(folder):
    torch.set_num_threads(1)
    for kind, table in [("ops", {}), ("functions", FUNCTIONS), ("modules", MODULES)]:
        cases = json.loads((folder / f"{kind}.json").read_text())
        stored = read(folder / f"{kind}.safetensors")
        unused = set(table) - {case["of"] for case in cases}
        assert not unused, f"no case for {unused}"
        tensors, entries = dict(stored), {}
        for case in cases:
            truth = run(kind, case, stored, torch.float64)
            single = run(kind, case, stored, torch.float32)
            errors = {}
            for name, value in truth.items():
                where = f"{case['id']}: {name}"
                assert name != "out" or str(value.dtype) == f"torch.{case['dtype']}", where
                value = value.contiguous()
                tensors[where] = value.numpy()
                errors[name] = error_of(value, single[name], where)
            inputs = [{"name": i["name"], "shape": i["shape"]} for i in case["inputs"]]
            entries[case["id"]] = {"attrs": case["attrs"], "inputs": inputs, "errors": errors}
        # The gradient from above is drawn again by whoever reads; that there is one, an empty tensor says.
        for name in tensors:
            if name.endswith(": dy"):
                tensors[name] = tensors[name].reshape(-1)[:0]
        target = OUT / kind
        target.mkdir(exist_ok=True)
        write(target / "cases.safetensors", tensors, {"torch": torch.__version__, "seed": "FNV-1a of the case's name"})
        manifest = {"kind": kind, "torch": torch.__version__, "cases": dict(sorted(entries.items()))}
        (target / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        print(f"{kind}: {len(cases)} cases")


main(pathlib.Path(sys.argv[1]))
