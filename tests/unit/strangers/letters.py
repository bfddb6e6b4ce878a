"""The next letter of a text: a small transformer whose embedding is also its last layer."""

import pathlib

import torch
from torch import nn

from hansa import ModuleTask


class Writer(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters, self.places = nn.Embedding(128, 24), nn.Parameter(torch.randn(16, 24) / 10)
        self.body = nn.TransformerEncoderLayer(24, 2, 48, dropout=0.1, batch_first=True, norm_first=True)
        self.answer = nn.Linear(24, 128)
        self.answer.weight = self.letters.weight

    def forward(self, text):
        mask = nn.Transformer.generate_square_subsequent_mask(16, device=text.device)
        return self.answer(self.body(self.letters(text) + self.places, mask, is_causal=True))


class Letters(ModuleTask):
    def module(self):
        return Writer()

    def load(self, source):
        text = torch.tensor(list(pathlib.Path(source).read_bytes()))
        return [(text[i : i + 16], text[i + 1 : i + 17]) for i in range(0, len(text) - 17, 4)]

    def loss(self, module, batch):
        return nn.functional.cross_entropy(module(batch[0]).transpose(1, 2), batch[1])

    def metric(self, module, data):
        return -self.mean(module, data)
