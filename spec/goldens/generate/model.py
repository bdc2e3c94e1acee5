"""CogVLM and CogVLM2 in plain PyTorch, for the generators of golden files.

    /usr/bin/python3 spec/goldens/generate/model.py spec/goldens/cogvlm spec/goldens/cogvlm2

checks it: everything in truth.safetensors, which the original code computed, is computed again in float64 and must be
equal but for the last bit of float32. `check` is what generators call before they write anything.

Modules and parameters are named as in the checkpoint. Sizes come from config.json and the shapes of the weights.
Written for clarity with torch 1.13; needs numpy and torch only.

B batch, T sequence, D width, H heads, K head width, E width of the ViT, n pictures, N image tokens of each
"""
import json
import math
import sys
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional as F

from safetensors_io import read

IGNORE_INDEX = -100
ADAPTER_NORM_EPS = 1e-5


def vision_expert_mask(types):
    """[B, T] bool: a place and the next one both belong to a picture. eoi is therefore a language token."""
    mask = torch.zeros_like(types, dtype=torch.bool)
    mask[:, :-1] = (types[:, :-1] == 1) & (types[:, 1:] == 1)
    return mask


def position_ids(types, attention_mask=None):
    """[B, T]: all image tokens of a picture share one position; boi and eoi have their own."""
    label = types.clone()
    if attention_mask is not None:
        label[attention_mask == 0] = -1
    text_before = F.pad(label[:, :-1] == 0, (1, 0), value=True)
    text_after = F.pad(label[:, 1:] == 0, (0, 1), value=True)
    kind = torch.where((label == 1) & (text_before | text_after), torch.zeros_like(label), label)
    counts = kind == 0
    counts[:, 1:] |= (kind[:, 1:] == 1) & (kind[:, :-1] == 0)
    counts[:, 0] = False
    return counts.long().cumsum(1)


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


class RotaryEmbedding(nn.Module):
    """cos and sin [B, T, K/2] of position · inv_freq; the frequencies come from the checkpoint."""

    def __init__(self, head_width):
        super().__init__()
        self.register_buffer("inv_freq", torch.zeros(head_width // 2))

    def forward(self, positions):
        theta = positions.to(self.inv_freq.dtype)[..., None] * self.inv_freq
        return theta.cos(), theta.sin()


def rotate(x, cos, sin):
    """Column j turns with column j + K/2. x [B, H, T, K], cos and sin [B, T, K/2]"""
    cos, sin = cos[:, None], sin[:, None]
    x0, x1 = x.chunk(2, -1)
    return torch.cat([x0 * cos - x1 * sin, x0 * sin + x1 * cos], -1)


def split_heads(x, heads):
    """[B, T, H·K] → [B, H, T, K]"""
    B, T, width = x.shape
    return x.reshape(B, T, heads, width // heads).transpose(1, 2)


def merge_heads(x):
    """[B, H, T, K] → [B, T, H·K]"""
    B, H, T, K = x.shape
    return x.transpose(1, 2).reshape(B, T, H * K)


def attend(q, k, v, hidden=None):
    """
    softmax(q kᵀ/√K) v; `hidden` is true where a query does not see a key. A query that sees none (padding) gets the mean
    of all. Each key head serves H/H_kv query heads.
    """
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(-2, -1)
    if hidden is not None:
        scores = scores.masked_fill(hidden, torch.finfo(scores.dtype).min)
    return scores.softmax(-1) @ v


class Routing:
    """Rows of the vision expert and rows of the language expert, in one pass."""

    def __init__(self, mask):
        self.mask = mask

    def apply(self, x, vision, language):
        """[B, T, in] → [B, T, out]. An expert without a token is not called."""
        vision_rows = vision(x[self.mask]) if self.mask.any() else None
        language_rows = language(x[~self.mask]) if not self.mask.all() else None
        some = language_rows if vision_rows is None else vision_rows
        out = some.new_zeros(*self.mask.shape, some.shape[-1])
        if vision_rows is not None:
            out[self.mask] = vision_rows
        if language_rows is not None:
            out[~self.mask] = language_rows
        return out


class VisionExpertAttention(nn.Module):
    def __init__(self, config, expert_bias):
        super().__init__()
        D, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.kv_heads = config.get("num_multi_query_heads", self.heads)
        self.head_width = D // self.heads
        width = (self.heads + 2 * self.kv_heads) * self.head_width
        self.rotary_emb = RotaryEmbedding(self.head_width)
        self.vision_expert_query_key_value = nn.Linear(D, width, bias=expert_bias)
        self.vision_expert_dense = nn.Linear(D, D, bias=False)
        self.language_expert_query_key_value = nn.Linear(D, width, bias=False)
        self.language_expert_dense = nn.Linear(D, D, bias=False)

    def forward(self, x, routing, positions, hidden):
        qkv = routing.apply(x, self.vision_expert_query_key_value, self.language_expert_query_key_value)
        sizes = [heads * self.head_width for heads in (self.heads, self.kv_heads, self.kv_heads)]
        q, k, v = qkv.split(sizes, -1)
        cos, sin = self.rotary_emb(positions)
        q = rotate(split_heads(q, self.heads), cos, sin)
        k = rotate(split_heads(k, self.kv_heads), cos, sin)
        context = merge_heads(attend(q, k, split_heads(v, self.kv_heads), hidden))
        return routing.apply(context, self.vision_expert_dense, self.language_expert_dense)


class SwiGLU(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class VisionExpertMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.language_mlp = SwiGLU(config["hidden_size"], config["intermediate_size"])
        self.vision_mlp = SwiGLU(config["hidden_size"], config["intermediate_size"])

    def forward(self, x, routing):
        return routing.apply(x, self.vision_mlp, self.language_mlp)


class DecoderLayer(nn.Module):
    def __init__(self, config, expert_bias):
        super().__init__()
        D, eps = config["hidden_size"], config["rms_norm_eps"]
        self.self_attn = VisionExpertAttention(config, expert_bias)
        self.mlp = VisionExpertMLP(config)
        self.input_layernorm = RMSNorm(D, eps)
        self.post_attention_layernorm = RMSNorm(D, eps)

    def forward(self, x, routing, positions, hidden):
        x = x + self.self_attn(self.input_layernorm(x), routing, positions, hidden)
        return x + self.mlp(self.post_attention_layernorm(x), routing)


class PositionTable(nn.Module):
    def __init__(self, rows, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(rows, width))

    def forward(self):
        return self.weight


class PatchEmbedding(nn.Module):
    def __init__(self, vision):
        super().__init__()
        E, p = vision["hidden_size"], vision["patch_size"]
        self.proj = nn.Conv2d(vision["in_channels"], E, p, stride=p)
        self.cls_embedding = nn.Parameter(torch.zeros(1, E))
        self.position_embedding = PositionTable(vision["num_positions"], E)

    def forward(self, pixels):
        patches = self.proj(pixels).flatten(2).transpose(1, 2)
        cls = self.cls_embedding.expand(patches.shape[0], 1, -1)
        return torch.cat([cls, patches], 1) + self.position_embedding()


class VitAttention(nn.Module):
    def __init__(self, vision):
        super().__init__()
        E, self.heads = vision["hidden_size"], vision["num_heads"]
        self.query_key_value = nn.Linear(E, 3 * E)
        self.dense = nn.Linear(E, E)

    def forward(self, x):
        q, k, v = (split_heads(part, self.heads) for part in self.query_key_value(x).chunk(3, -1))
        return self.dense(merge_heads(attend(q, k, v)))


class VitMLP(nn.Module):
    def __init__(self, vision):
        super().__init__()
        self.fc1 = nn.Linear(vision["hidden_size"], vision["intermediate_size"])
        self.fc2 = nn.Linear(vision["intermediate_size"], vision["hidden_size"])

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class VitBlock(nn.Module):
    """Each norm stands after its sublayer, on what is added."""

    def __init__(self, vision):
        super().__init__()
        E, eps = vision["hidden_size"], vision["layer_norm_eps"]
        self.input_layernorm = nn.LayerNorm(E, eps)
        self.attention = VitAttention(vision)
        self.mlp = VitMLP(vision)
        self.post_attention_layernorm = nn.LayerNorm(E, eps)

    def forward(self, x):
        x = x + self.input_layernorm(self.attention(x))
        return x + self.post_attention_layernorm(self.mlp(x))


class VitTransformer(nn.Module):
    def __init__(self, vision):
        super().__init__()
        self.layers = nn.ModuleList(VitBlock(vision) for _ in range(vision["num_hidden_layers"]))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Adapter(nn.Module):
    def __init__(self, config):
        super().__init__()
        D, inner = config["hidden_size"], config["intermediate_size"]
        self.linear_proj = nn.Linear(config["vision_config"]["hidden_size"], D, bias=False)
        self.norm1 = nn.LayerNorm(D, ADAPTER_NORM_EPS)
        self.dense_h_to_4h = nn.Linear(D, inner, bias=False)
        self.gate_proj = nn.Linear(D, inner, bias=False)
        self.dense_4h_to_h = nn.Linear(inner, D, bias=False)

    def forward(self, x):
        u = F.gelu(self.norm1(self.linear_proj(x)))
        return self.dense_4h_to_h(F.silu(self.gate_proj(u)) * self.dense_h_to_4h(u))


class VisionModel(nn.Module):
    def __init__(self, config, downsample):
        super().__init__()
        vision, D = config["vision_config"], config["hidden_size"]
        E = vision["hidden_size"]
        self.patch_embedding = PatchEmbedding(vision)
        self.transformer = VitTransformer(vision)
        self.conv = nn.Conv2d(E, E, 2, stride=2) if downsample else None
        self.linear_proj = Adapter(config)
        self.boi = nn.Parameter(torch.zeros(1, 1, D))
        self.eoi = nn.Parameter(torch.zeros(1, 1, D))

    def forward(self, pixels):
        """[n, 3, S, S] → [n, N + 2, D]"""
        x = self.transformer(self.patch_embedding(pixels))[:, 1:]
        if self.conv is not None:
            n, patches, E = x.shape
            g = math.isqrt(patches)
            x = self.conv(x.transpose(1, 2).reshape(n, E, g, g)).flatten(2).transpose(1, 2)
        v = self.linear_proj(x)
        boi, eoi = (end.expand(v.shape[0], 1, -1) for end in (self.boi, self.eoi))
        return torch.cat([boi, v, eoi], 1)


class CogVLMModel(nn.Module):
    def __init__(self, config, expert_bias, downsample):
        super().__init__()
        D = config["hidden_size"]
        self.embed_tokens = nn.Embedding(config["vocab_size"], D)
        self.layers = nn.ModuleList(DecoderLayer(config, expert_bias) for _ in range(config["num_hidden_layers"]))
        self.norm = RMSNorm(D, config["rms_norm_eps"])
        self.vision = VisionModel(config, downsample)

    def forward(self, ids, types, attention_mask=None, pixels=None):
        x = self.embed_tokens(ids)
        if pixels is not None:
            features = self.vision(pixels)
            x = x.clone()
            x[types == 1] = features.flatten(0, 1)
        T = ids.shape[1]
        hidden = torch.ones(T, T, dtype=torch.bool).triu(1)
        if attention_mask is not None:
            hidden = hidden | (attention_mask == 0)[:, None, None, :]
        routing, positions = Routing(vision_expert_mask(types)), position_ids(types, attention_mask)
        for layer in self.layers:
            x = layer(x, routing, positions, hidden)
        return self.norm(x)


class CogVLM(nn.Module):
    def __init__(self, config, expert_bias, downsample):
        super().__init__()
        self.model = CogVLMModel(config, expert_bias, downsample)
        self.lm_head = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)

    def forward(self, ids, types, attention_mask=None, pixels=None):
        """ids, types and attention_mask [B, T] (int64), pixels [n, 3, S, S] → logits [B, T, V]"""
        return self.lm_head(self.model(ids, types, attention_mask, pixels))


def loss(logits, labels):
    """Mean cross entropy of the next token over labels [B, T] that are not −100."""
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORE_INDEX)


def load_weights(folder):
    """{name: array} of all shards of a checkpoint folder."""
    folder = Path(folder)
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return read(folder / "model.safetensors")
    files = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    return {name: values for file in files for name, values in read(folder / file).items()}


def load(folder, dtype):
    """The model of a checkpoint folder (config.json and safetensors), in `dtype`."""
    config = json.loads((Path(folder) / "config.json").read_text())
    weights = load_weights(folder)
    expert_bias = "model.layers.0.self_attn.vision_expert_query_key_value.bias" in weights
    model = CogVLM(config, expert_bias, "model.vision.conv.weight" in weights).to(dtype)
    model.load_state_dict({name: torch.from_numpy(values).to(dtype) for name, values in weights.items()})
    return model


def paths(model):
    """{module: path} of everything below the root."""
    return {module: path for path, module in model.named_modules() if path != ""}


class GoldenSample:
    """case.json and inputs.safetensors of a golden folder."""

    def __init__(self, folder):
        folder = Path(folder)
        self.case = json.loads((folder / "case.json").read_text())
        self.pixels = torch.from_numpy(read(folder / "inputs.safetensors")["pixel_values"])

    def single(self, dtype):
        """The arguments of the single-sample forward."""
        case = self.case
        return torch.tensor([case["input_ids"]]), torch.tensor([case["token_type_ids"]]), None, self.pixels[:1].to(dtype)

    def batch(self, dtype):
        rows = (torch.tensor(self.case["batch"][name]) for name in ("input_ids", "token_type_ids", "attention_mask"))
        return *rows, self.pixels.to(dtype)

    def text_only(self):
        ids = torch.tensor([[self.case["input_ids"][0], *self.case["texts"][0]]])
        return ids, torch.zeros_like(ids)

    @property
    def labels(self):
        return torch.tensor([self.case["labels"]])


def recompute(folder):
    """Everything of truth.safetensors but the cached generation, in float64."""
    model, sample = load(Path(folder) / "checkpoint", torch.float64), GoldenSample(folder)
    found = {}
    names = paths(model)

    def keep(module, _, output):
        if torch.is_tensor(output):
            found[f"act.{names[module]}"] = output.detach()

    hooks = [module.register_forward_hook(keep) for module in names]
    logits = model(*sample.single(torch.float64))
    for hook in hooks:
        hook.remove()
    value = loss(logits, sample.labels)
    value.backward()
    found["logits"], found["loss"] = logits.detach(), value.detach().reshape(1)
    for name, parameter in model.named_parameters():
        found[f"grad.{name}"] = parameter.grad
    _, types, _, _ = sample.single(torch.float64)
    found["position_ids"], found["vision_expert_mask"] = position_ids(types), vision_expert_mask(types)
    with torch.no_grad():
        found["text_only.logits"] = model(*sample.text_only())
        ids, types, mask, pixels = sample.batch(torch.float64)
        found["batch.logits"] = model(ids, types, mask, pixels)
    found["batch.position_ids"], found["batch.vision_expert_mask"] = position_ids(types, mask), vision_expert_mask(types)
    return found, mask.numpy() == 1


class CheckError(Exception):
    """This code and the original do not compute the same."""


ULPS = 2


def check(folder):
    """
    Compares with truth.safetensors. Numbers may differ by 2 units in the last place of float32 of the largest number in
    the tensor (half a unit is the rounding of the truth); integers not at all. Returns (tensors, largest difference in
    those units).
    """
    found, present = recompute(folder)
    truth = read(Path(folder) / "truth.safetensors")
    wrong, worst, compared = [], 0.0, 0
    for name, expected in truth.items():
        if name.startswith("generate."):
            continue
        compared += 1
        if name not in found:
            wrong.append(f"{name}: not computed")
            continue
        got = found[name].numpy()
        if got.shape != expected.shape and got.size != expected.size:
            wrong.append(f"{name}: shape {got.shape}, expected {expected.shape}")
            continue
        got = got.reshape(expected.shape)
        if name.startswith("batch."):
            got, expected = got[present], expected[present]
        if expected.dtype != numpy.float32:
            if not (got == expected).all():
                wrong.append(f"{name}: {(got != expected).sum()} of {got.size} differ")
            continue
        scale = numpy.spacing(numpy.abs(expected).max())
        error = numpy.abs(got - expected.astype(numpy.float64)).max() / (scale if scale > 0 else 1)
        worst = max(worst, error)
        if not error <= ULPS:
            wrong.append(f"{name}: off by {error:.3g} units in the last place of its largest number")
    if wrong:
        raise CheckError(f"{folder}: {len(wrong)} of {compared} tensors differ from the truth\n  " + "\n  ".join(wrong))
    return compared, worst


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("usage: model.py GOLDEN_FOLDER…")
    for golden in sys.argv[1:]:
        tensors, units = check(golden)
        print(f"{golden}: {tensors} tensors equal the truth; largest difference {units:.3g} float32 ulp of the tensor's largest number")
