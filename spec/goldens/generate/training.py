"""Writes spec/goldens/training: what PyTorch's AdamW, gradient clipping and backward pass do in 20 steps.

    /usr/bin/python3 spec/goldens/generate/training.py

manifest.json {kind, torch, optimizer, curves}; truths are float64, and beside each stands what PyTorch's own float32 run
is off by. The same bytes each time. Nothing is written unless model.py computes what the original code did.

optimizer   AdamW alone, from gradients that are given. FILE holds initial.NAME, gradient.NAME [steps, ...] as F32 and, after
            some steps, stepN.NAME.{p,m,v} as F64. `idle` lists the steps, from 0, in which a parameter has no gradient.
curves      a small CogVLM trained from the checkpoint of another golden folder. `batches` are lists of examples with their
            rows laid out, `steps` says which batch comes in each step. FILE holds update.NAME, final minus initial weights,
            as F32, of everything that trains.

`lr` is the scheduled rate, which each group multiplies by its lr_scale; `grad_norm` is the norm before clipping.
"""
import os

# Before numpy and torch are loaded: the same kernels on every machine.
os.environ.update(
    {
        "ATEN_CPU_CAPABILITY": "avx2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
)

import json
import math
import random
import re
import warnings
from pathlib import Path

import torch

import model as cogvlm
from safetensors_io import read, write

GOLDENS = Path(__file__).resolve().parent.parent
OUT = GOLDENS / "training"
STEPS = 20
CHECKED = [1, 2, 10, 20]
IGNORED = cogvlm.IGNORE_INDEX


# ---- schedule and optimizer --------------------------------------------------------------------------------


def warmup_cosine(step, peak, warmup_steps, total_steps, final_ratio):
    """(step + 1)/warm-up of the peak, then half a cosine down to final_ratio of it."""
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = min(1, (step - warmup_steps) / max(1, total_steps - warmup_steps))
    return peak * (final_ratio + (1 - final_ratio) * 0.5 * (1 + math.cos(math.pi * progress)))


def check_schedule(schedule):
    """PyTorch's own schedulers in a row, LinearLR and CosineAnnealingLR, give the same rates."""
    peak, warmup = schedule["peak"], schedule["warmup_steps"]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    rise = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warmup, 1, total_iters=warmup - 1)
    rates = []
    for step in range(warmup):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        rise.step()
    after = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(
        after, schedule["total_steps"] - warmup, eta_min=peak * schedule["final_ratio"]
    )
    for step in range(warmup, schedule["total_steps"]):
        rates.append(after.param_groups[0]["lr"])
        after.step()
        fall.step()
    for step, rate in enumerate(rates):
        assert math.isclose(rate, warmup_cosine(step, **schedule), rel_tol=1e-12), (step, rate, schedule)


class Run:
    """AdamW with parameter groups, clipping and schedule."""

    def __init__(self, case, parameters):
        self.case = case
        groups = [
            {
                "params": [parameters[name] for name in group["parameters"]],
                "weight_decay": group["weight_decay"],
                "lr_scale": group["lr_scale"],
            }
            for group in case["groups"]
        ]
        self.parameters = [p for group in groups for p in group["params"]]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, betas=tuple(case["betas"]), eps=case["eps"])

    def step(self, step):
        """From the gradients that are there; returns their norm before clipping."""
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.case["clip_norm"])
        for group in self.optimizer.param_groups:
            group["lr"] = warmup_cosine(step, **self.case["schedule"]) * group["lr_scale"]
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return norm.item()


def rates(case):
    check_schedule(case["schedule"])
    return [warmup_cosine(step, **case["schedule"]) for step in range(STEPS)]


def farthest(a, b):
    return (a.double() - b.double()).abs().max().item()


def mean_error(a, b):
    return (a.double() - b.double()).abs().mean().item()


def relative(a, b):
    return max(abs(x / y - 1) for x, y in zip(a, b))


# ---- AdamW alone -------------------------------------------------------------------------------------------

# Gradients of size 0.1 to 30: with norms of at most 1, some steps are clipped and some are not.
SIZES = [1.0, 0.05, 3.0, 0.01, 30.0, 0.3, 0.02, 1.0, 0.1, 10.0]

OPTIMIZERS = [
    {
        "name": "the paper's AdamW",
        "file": "optimizer-paper.safetensors",
        "betas": [0.9, 0.95],
        "eps": 1e-8,
        "clip_norm": 1.0,
        "schedule": {"peak": 0.02, "warmup_steps": 5, "total_steps": STEPS, "final_ratio": 0.1},
        "groups": [
            {"lr_scale": 1, "weight_decay": 0.05, "parameters": ["matrix", "table"]},
            {"lr_scale": 1, "weight_decay": 0, "parameters": ["norm", "scalar"]},
            {"lr_scale": 0.1, "weight_decay": 0.05, "parameters": ["vit"]},
        ],
        "idle": {},
    },
    {
        "name": "AdamW with large decay",
        "file": "optimizer-decay.safetensors",
        "betas": [0.9, 0.999],
        "eps": 1e-8,
        "clip_norm": 2.0,
        "schedule": {"peak": 0.05, "warmup_steps": 3, "total_steps": STEPS, "final_ratio": 0},
        "groups": [
            {"lr_scale": 1, "weight_decay": 1.5, "parameters": ["matrix", "sometimes"]},
            {"lr_scale": 2, "weight_decay": 0, "parameters": ["norm", "late"]},
        ],
        # "late" gets its first gradient in step 3: its bias corrections begin there.
        "idle": {"sometimes": [1, 5, 6, 12, 19], "late": [0, 1, 2]},
    },
]

SHAPES = {
    "matrix": [7, 5],
    "table": [4, 3, 2],
    "norm": [11],
    "scalar": [1],
    "vit": [3, 9],
    "sometimes": [6, 3],
    "late": [5],
}


def given(case, seed):
    """Initial values and gradients, exact in float32."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name in (name for group in case["groups"] for name in group["parameters"]):
        shape = SHAPES[name]
        tensors[f"initial.{name}"] = torch.randn(shape, generator=generator)
        gradients = torch.randn([STEPS, *shape], generator=generator)
        for step in range(STEPS):
            gradients[step] *= SIZES[(step + seed) % len(SIZES)]
        flat = gradients.view(STEPS, -1)
        if flat.shape[1] > 4:
            flat[:, 1] = 0  # v = 0: the update is 0/ε
            flat[:, 2] *= 1e-9  # ε decides
            flat[:, 3] = flat[:, 3].abs()  # never turns
        for step in case["idle"].get(name, []):
            gradients[step] = 0
        tensors[f"gradient.{name}"] = gradients
    return tensors


def adamw(case, tensors, dtype):
    """{stepN.NAME.p, m, v} and the norms."""
    parameters = {
        name[len("initial.") :]: values.to(dtype, copy=True).requires_grad_()
        for name, values in tensors.items()
        if name.startswith("initial.")
    }
    run, state, norms = Run(case, parameters), {}, []
    for step in range(STEPS):
        for name, p in parameters.items():
            idle = step in case["idle"].get(name, [])
            p.grad = None if idle else tensors[f"gradient.{name}"][step].to(dtype, copy=True)
        norms.append(run.step(step))
        if step + 1 not in CHECKED:
            continue
        for name, p in parameters.items():
            moments = run.optimizer.state[p]
            if "exp_avg" not in moments:
                moments = {"exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
            for key, values in (("p", p), ("m", moments["exp_avg"]), ("v", moments["exp_avg_sq"])):
                state[f"step{step + 1}.{name}.{key}"] = values.detach().clone()
    return state, norms


def optimizer_case(case, seed):
    tensors = given(case, seed)
    truth, norms = adamw(case, tensors, torch.float64)
    own, own_norms = adamw(case, tensors, torch.float32)
    clipped = sum(norm > case["clip_norm"] for norm in norms)
    assert 5 <= clipped <= STEPS - 5, clipped
    files = {case["file"]: {name: values.numpy() for name, values in {**tensors, **truth}.items()}}
    entry = {
        **case,
        "checked_steps": CHECKED,
        "lr": rates(case),
        "grad_norm": norms,
        "float32_error": {
            "grad_norm": max(abs(a - b) for a, b in zip(own_norms, norms)),
            **{name: farthest(own[name], values) for name, values in truth.items()},
        },
    }
    return entry, files


# ---- curves ------------------------------------------------------------------------------------------------

CURVES = [
    {
        "name": "pretraining",
        "file": "pretraining.safetensors",
        "folder": "../cogvlm",
        "seed": 2,
        "lr_scale": {"adapter": 1, "experts": 1},
        "peak": 5e-4,
        "clip_norm": 10.0,
        "final_ratio": 0.1,
    },
    {
        "name": "alignment",
        "file": "alignment.safetensors",
        "folder": "../cogvlm2",
        "seed": 39,
        "lr_scale": {"vit": 0.1, "adapter": 1, "experts": 1},
        "peak": 4e-4,
        "clip_norm": 14.0,
        "final_ratio": 0,
    },
]

BATCHES = [[0, 1, 2], [3, 4], [1, 3, 0]]
WEIGHT_DECAY = 0.05
KEYS = " (keys)"


def part(name):
    """The part of the model a parameter belongs to."""
    if name.startswith("model.vision."):
        return "vit" if name.split(".")[2] in ("patch_embedding", "transformer") else "adapter"
    return "experts" if ".vision_expert_" in name or ".vision_mlp." in name else "language"


def examples(seed, vocabulary, pictures):
    """Prompts of 0 to 4 and answers of 1 to 5 tokens, none of them special."""
    numbers = random.Random(seed)

    def words(low, high):
        return [numbers.randrange(3, vocabulary) for _ in range(numbers.randrange(low, high))]

    return [{"picture": i % pictures, "prompt": words(0, 5), "answer": words(1, 6)} for i in range(5)]


def lay_out(rows, image_tokens, config):
    """bos, boi, image tokens, eoi, prompt, answer, eos; padded on the right. Labels are the answer and eos."""
    bos, eos, pad = (config[f"{name}_token_id"] for name in ("bos", "eos", "pad"))
    slots = image_tokens + 2
    laid = []
    for row in rows:
        target = [*row["answer"], eos]
        text = [*row["prompt"], *target]
        ids = [bos] + [pad] * slots + text
        labels = [IGNORED] * (len(ids) - len(target)) + target
        laid.append((ids, [0] + [1] * slots + [0] * len(text), labels))
    longest = max(len(ids) for ids, _, _ in laid)

    def padded(column, value):
        return [row[column] + [value] * (longest - len(row[column])) for row in laid]

    return {"ids": padded(0, pad), "types": padded(1, 0), "labels": padded(2, IGNORED)}


def groups_of(model, lr_scale):
    """Matrices decay, norm weights, biases and single vectors do not."""
    groups = {}
    for name, parameter in model.named_parameters():
        scale = lr_scale.get(part(name))
        parameter.requires_grad_(scale is not None)
        if scale is None:
            continue
        is_matrix = sum(n > 1 for n in parameter.shape) >= 2
        decay = WEIGHT_DECAY if is_matrix else 0
        group = groups.setdefault((scale, decay), {"lr_scale": scale, "weight_decay": decay, "parameters": []})
        group["parameters"].append(name)
    return list(groups.values())


def trained(case, model, pixels, dtype):
    """Losses, norms and updates {name: final − initial}."""
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    initial = {name: p.detach().clone() for name, p in parameters.items()}
    run, losses, norms = Run(case, parameters), [], []
    for step, batch in enumerate(case["batches"][i] for i in case["steps"]):
        ids, types, labels = (torch.tensor(batch[field]) for field in ("ids", "types", "labels"))
        pictures = pixels[[case["examples"][i]["picture"] for i in batch["examples"]]].to(dtype)
        loss = cogvlm.loss(model(ids, types, None, pictures), labels)
        if dtype == torch.float64:
            lengths = [len(row) - row[::-1].index(next(filter(lambda n: n >= 0, row[::-1]))) for row in batch["labels"]]
            mask = torch.tensor([[int(t < n) for t in range(ids.shape[1])] for n in lengths])
            hidden = cogvlm.loss(model(ids, types, mask, pictures), labels)
            assert abs(hidden.item() - loss.item()) < 1e-12, "padding on the right is seen by a target"
        loss.backward()
        losses.append(loss.item())
        norms.append(run.step(step))
    return losses, norms, {name: p.detach().double() - initial[name].double() for name, p in parameters.items()}


def split_keys(updates):
    """
    The ViT's key bias stands apart: the softmax does not see it, so its gradient is 0 but for rounding, which Adam
    magnifies.
    """
    split = {}
    for name, values in updates.items():
        if part(name) == "vit" and name.endswith(".query_key_value.bias"):
            q, k, v = values.chunk(3)
            split[name], split[name + KEYS] = torch.cat([q, v]), k
        else:
            split[name] = values
    return split


def curve_case(spec):
    folder = (OUT / spec["folder"]).resolve()
    checkpoint = folder / "checkpoint"
    config = json.loads((checkpoint / "config.json").read_text())
    pixels = torch.from_numpy(read(folder / "inputs.safetensors")["pixel_values"])
    model = cogvlm.load(checkpoint, torch.float64)
    image_tokens = model.model.vision(pixels[:1].double()).shape[1] - 2
    chosen = examples(spec["seed"], config["vocab_size"], len(pixels))
    case = {
        "name": spec["name"],
        "file": spec["file"],
        "config": f"{spec['folder']}/checkpoint/config.json",
        "checkpoint": f"{spec['folder']}/checkpoint",
        "pictures": f"{spec['folder']}/inputs.safetensors",
        "lr_scale": spec["lr_scale"],
        "weight_decay": WEIGHT_DECAY,
        "betas": [0.9, 0.95],
        "eps": 1e-8,
        "clip_norm": spec["clip_norm"],
        "schedule": {
            "peak": spec["peak"],
            "warmup_steps": 4,
            "total_steps": STEPS,
            "final_ratio": spec["final_ratio"],
        },
        "examples": chosen,
        "batches": [
            {"examples": batch, **lay_out([chosen[i] for i in batch], image_tokens, config)} for batch in BATCHES
        ],
        "steps": [step % len(BATCHES) for step in range(STEPS)],
        "groups": groups_of(model, spec["lr_scale"]),
    }
    losses, norms, updates = trained(case, model, pixels, torch.float64)
    single = cogvlm.load(checkpoint, torch.float32)
    groups_of(single, spec["lr_scale"])
    own_losses, own_norms, own_updates = trained(case, single, pixels, torch.float32)

    clipped = sum(norm > case["clip_norm"] for norm in norms)
    end = sum(losses[-len(BATCHES) :]) / sum(losses[: len(BATCHES)])
    print(
        f"{case['name']}: loss {losses[0]:.3f} to {losses[-1]:.3f} ({end:.2f} of the first round), "
        f"{clipped} of {STEPS} steps clipped, float32 off by {relative(own_losses, losses):.1e}"
    )
    assert 3 <= clipped <= STEPS - 3 and end < 0.6 and relative(own_losses, losses) < 1e-5
    apart, own_apart = split_keys(updates), split_keys(own_updates)
    entry = {
        **case,
        "lr": rates(case),
        "loss": losses,
        "grad_norm": norms,
        "float32_loss": own_losses,
        "float32_grad_norm": own_norms,
        "float32_error": {name: farthest(own_apart[name], values) for name, values in apart.items()},
        "float32_mean_error": {name: mean_error(own_apart[name], values) for name, values in apart.items()},
    }
    return entry, {case["file"]: {f"update.{name}": values.float().numpy() for name, values in updates.items()}}


def on_one_line(numbers):
    return f"[{' '.join(numbers[0][1:-1].split())}]"


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step")
    for spec in CURVES:
        cogvlm.check((OUT / spec["folder"]).resolve())
    results = {
        "optimizer": [optimizer_case(case, seed) for seed, case in enumerate(OPTIMIZERS, 1)],
        "curves": [curve_case(spec) for spec in CURVES],
    }
    manifest = {"kind": "training", "torch": torch.__version__}
    seeds = {case["file"]: str(seed) for seed, case in enumerate(OPTIMIZERS, 1)}
    seeds.update({spec["file"]: str(spec["seed"]) for spec in CURVES})
    OUT.mkdir(exist_ok=True)
    for kind, cases in results.items():
        manifest[kind] = [entry for entry, _ in cases]
        for name, tensors in (item for _, files in cases for item in files.items()):
            write(OUT / name, tensors, {"torch": torch.__version__, "seed": seeds[name]})
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (OUT / "manifest.json").write_text(re.sub(r"\[[-\d.,e\s]*\]", on_one_line, text) + "\n")


if __name__ == "__main__":
    main()
