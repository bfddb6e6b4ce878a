"""BERT (Devlin et al., NAACL 2019) as a frozen sentence encoder, with adapters in its last layers.

The adapters are those of Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022, section 4.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, gelu, normalize, scaled_dot_product_attention

HEAD = 32  # numbers that one attention head looks at
TINY = 1e-12
ALPHA = 2.0  # by which what an adapter adds is multiplied
SCALE = 8.0  # the length of a mail's vector: the head learns about as fast as the adapters
MOST_KEPT = 5000
"""Rows whose outputs of the lower layers are kept; 64 tokens take 48 KiB."""


class Encoder(nn.Module):
    """Token ids (n, tokens), 0 being padding, to logits (n, 2).

    file: a BERT's safetensors. adapted: how many of the last layers have adapters, of rank `rank`; only those and the
    head are trained. What the layers below give for a row is computed alone, once, and kept in float16.
    """

    def __init__(self, file: Path, adapted: int, rank: int) -> None:
        super().__init__()
        weights = read_weights(file)
        count = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
        self.words, self.places, self.kinds = (
            _frozen(weights[f"embeddings.{name}_embeddings.weight"]) for name in ("word", "position", "token_type")
        )
        self.norm = _norm(weights, "embeddings.LayerNorm")
        layers = [
            Layer({name.removeprefix(f"encoder.layer.{n}."): value for name, value in weights.items()}, rank=rank_of)
            for n, rank_of in enumerate([0] * (count - adapted) + [rank] * adapted)
        ]
        self.lower, self.upper = nn.ModuleList(layers[: count - adapted]), nn.ModuleList(layers[count - adapted :])
        self.head = nn.Linear(self.words.shape[1], 2)
        nn.init.zeros_(self.head.bias)
        self._kept: dict[bytes, Tensor] = {}

    def forward(self, ids: Tensor) -> Tensor:
        hidden, there = self._below(ids), ids > 0
        for layer in self.upper:
            hidden = layer(hidden, there)
        mean = (hidden * there.unsqueeze(2)).sum(dim=1)
        logits: Tensor = self.head(SCALE * normalize(mean, dim=1))
        return logits

    def _below(self, ids: Tensor) -> Tensor:
        """(n, tokens, width): what enters the first layer that has an adapter."""
        rows = []
        for row in ids:
            key = row.cpu().numpy().tobytes()
            if (found := self._kept.get(key)) is None:
                found = self._computed(row, int((row > 0).sum()))
                if len(self._kept) < MOST_KEPT:
                    self._kept[key] = found
            rows.append(found)
        return torch.stack(rows).to(self.words.dtype)

    @torch.no_grad()
    def _computed(self, row: Tensor, count: int) -> Tensor:
        """(tokens, width) in float16, zeros beyond the first `count` tokens."""
        there = row[None, :count] > 0
        hidden = self.norm(embedding(row[None, :count], self.words) + self.places[:count] + self.kinds[0])
        for layer in self.lower:
            hidden = layer(hidden, there)
        return nn.functional.pad(hidden[0].half(), (0, 0, 0, len(row) - count))


class Layer(nn.Module):
    """Attention, then two linear layers, each with a way around it. rank: of the adapters of queries and
    values; 0: none."""

    def __init__(self, weights: Mapping[str, Tensor], rank: int) -> None:
        super().__init__()
        self.query, self.value = (Adapted(weights, f"attention.self.{name}", rank) for name in ("query", "value"))
        self.key = Adapted(weights, "attention.self.key", 0)
        self.mixed = Adapted(weights, "attention.output.dense", 0)
        self.mixed_norm = _norm(weights, "attention.output.LayerNorm")
        self.wide, self.narrow = (Adapted(weights, f"{name}.dense", 0) for name in ("intermediate", "output"))
        self.norm = _norm(weights, "output.LayerNorm")

    def forward(self, hidden: Tensor, there: Tensor) -> Tensor:
        """(n, tokens, width) to the same; there: (n, tokens), False for padding."""
        query, key, value = (
            linear(hidden).unflatten(2, (-1, HEAD)).transpose(1, 2) for linear in (self.query, self.key, self.value)
        )
        seen = scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None, :])
        mixed = self.mixed_norm(hidden + self.mixed(seen.transpose(1, 2).flatten(2)))
        outputs: Tensor = self.norm(mixed + self.narrow(gelu(self.wide(mixed))))
        return outputs


class Adapted(nn.Module):
    """W x + b + α B A x: W and b are frozen, A starts at random, B at 0. Without A and B where `rank` is 0."""

    def __init__(self, weights: Mapping[str, Tensor], name: str, rank: int) -> None:
        super().__init__()
        self.weight, self.bias = _frozen(weights[f"{name}.weight"]), _frozen(weights[f"{name}.bias"])
        outward, inward = self.weight.shape
        self.rank = rank
        if rank:
            self.a = nn.Parameter(torch.randn(rank, inward) * inward**-0.5)
            self.b = nn.Parameter(torch.zeros(outward, rank))

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = nn.functional.linear(inputs, self.weight, self.bias)
        return outputs + ALPHA * (inputs @ self.a.T) @ self.b.T if self.rank else outputs


def _frozen(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value, requires_grad=False)


def _norm(weights: Mapping[str, Tensor], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(weights[f"{name}.bias"].shape, eps=TINY)
    norm.weight, norm.bias = _frozen(weights[f"{name}.weight"]), _frozen(weights[f"{name}.bias"])
    return norm


def read_weights(file: Path) -> dict[str, Tensor]:
    """A safetensors file's float32 tensors by name, left on the disk until they are used."""
    data = np.memmap(file, np.uint8, "c")
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    header = json.loads(data[8:start].tobytes())
    return {
        name: torch.from_numpy(data[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]])
        .view(torch.float32)
        .reshape(entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }
