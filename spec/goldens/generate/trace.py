"""Writes trace.safetensors and trace.json of the golden models: every module alone, on inputs of its own.

    /usr/bin/python3 spec/goldens/generate/trace.py [GOLDEN_FOLDER…]

In a whole run each module's output carries the errors of all modules before it. Here each module P that takes one tensor
gets an input that is the same for everybody, so that its output shows its own error only:

    P/in    F32  its input in the float64 run of the single sample, rounded to float32
    P/out   F64  what the module alone makes of exactly that input, in float64; routing and positions are the sample's
    P/din   F32  gradient by that input for dy[i] = ((7919 i) mod 1009 − 504)/512, i the flat index in the output

Modules that take no tensor of real numbers (token embedding, position table, `model` and the root, whose path is empty)
have P/out only, from the whole run.

trace.json names the modules in the order in which they finish, with the largest absolute error that PyTorch's own float32
makes in P/out and P/din. Where two keys of a query are nearly tied, that of one run says little: it is small or large by
chance, so each is the largest of 16 runs, on P/in and on 15 inputs beside it, whose numbers are one float32 further up,
further down, or the same (of the whole run it is the pixels). Needs Debian's python3-torch (1.13).
"""
import os

# Kernels of other instruction sets add up in another order; must be set before torch is loaded.
os.environ.update(ATEN_CPU_CAPABILITY="avx2", OPENBLAS_CORETYPE="Haswell", ONEDNN_MAX_CPU_ISA="AVX2")

import json
import sys
from pathlib import Path

import numpy
import torch

from model import GoldenSample, check, load
from safetensors_io import write

GOLDENS = Path(__file__).parent.parent
RUNS = 16


def output_gradient(shape, dtype):
    i = torch.arange(int(numpy.prod(shape)))
    return (((i * 7919) % 1009 - 504).to(dtype) / 512).reshape(shape)


def calls(model, ids, types, mask, pixels):
    """[(path, arguments, output)] of every module that returns a tensor, in the order in which they finish."""
    found = []

    def keep(path):
        def hook(_, arguments, output):
            if torch.is_tensor(output):
                found.append((path, arguments, output.detach()))

        return hook

    hooks = [module.register_forward_hook(keep(path)) for path, module in model.named_modules()]
    with torch.no_grad():
        model(ids, types, mask, pixels)
    for hook in hooks:
        hook.remove()
    return found


def beside(x, random):
    """x and the inputs beside it, float32."""
    yield x
    for _ in range(RUNS - 1):
        steps = random.randint(-1, 2, x.shape)
        towards = numpy.where(steps == 0, x.numpy(), numpy.where(steps > 0, numpy.inf, -numpy.inf).astype("f4"))
        yield torch.from_numpy(numpy.nextafter(x.numpy(), towards))


def alone(module, x, context):
    """Output and gradient by the input of one module."""
    x = x.clone().requires_grad_()
    out = module(x, *context)
    (din,) = torch.autograd.grad(out, x, output_gradient(out.shape, out.dtype))
    return out.detach(), din


def largest(differences):
    """Three digits: the rest is noise."""
    return float(f"{max(difference.abs().max().item() for difference in differences):.3g}")


def trace(folder):
    random = numpy.random.RandomState(0)
    ids, types, mask, pixels = GoldenSample(folder).single(torch.float32)
    wide, narrow = (load(Path(folder) / "checkpoint", dtype) for dtype in (torch.float64, torch.float32))
    wide_modules, narrow_modules = dict(wide.named_modules()), dict(narrow.named_modules())

    whole = {}
    for near in beside(pixels, random):
        run = zip(calls(narrow, ids, types, mask, near), calls(wide, ids, types, mask, near.double()))
        for (path, _, output32), (_, _, output) in run:
            whole.setdefault(path, []).append(output32 - output)

    tensors, modules = {}, []
    for path, arguments, output in calls(wide, ids, types, mask, pixels.double()):
        if len(arguments) == 0 or not arguments[0].is_floating_point():
            tensors[f"{path}/out"] = output.numpy()
            modules.append({"path": path, "out": largest(whole[path])})
            continue
        x, context = arguments[0].float(), arguments[1:]
        out, din = alone(wide_modules[path], x.double(), context)
        tensors.update({f"{path}/in": x.numpy(), f"{path}/out": out.numpy(), f"{path}/din": din.float().numpy()})
        errors = {"out": [], "din": []}
        for near in beside(x, random):
            exact, rounded = alone(wide_modules[path], near.double(), context), alone(narrow_modules[path], near, context)
            for result, e, r in zip(errors, exact, rounded):
                errors[result].append(r - e)
        modules.append({"path": path, **{result: largest(differences) for result, differences in errors.items()}})
    return tensors, modules


def main(folders):
    torch.set_num_threads(1)
    for folder in folders:
        check(folder)
        tensors, modules = trace(folder)
        write(Path(folder) / "trace.safetensors", tensors, {"torch": torch.__version__})
        lines = ",\n".join(f"  {json.dumps(module)}" for module in modules)
        text = f'{{\n "torch": {json.dumps(torch.__version__)},\n "modules": [\n{lines}\n ]\n}}\n'
        (Path(folder) / "trace.json").write_text(text)
        print(f"{folder}: {len(modules)} modules, {sum(a.nbytes for a in tensors.values())} bytes")


if __name__ == "__main__":
    main(sys.argv[1:] or [GOLDENS / "cogvlm", GOLDENS / "cogvlm2"])
