"""Are most of a sequence's bits set? An LSTM with dropout, its learning rate falling along a cosine."""

import numpy as np
import torch
from torch import nn

from hansa import ModuleTask


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 12, num_layers=2, dropout=0.1, batch_first=True)
        self.answer = nn.Linear(12, 1)

    def forward(self, bits):
        return self.answer(self.lstm(bits)[0].mean(1)).squeeze(1)


class Majority(ModuleTask):
    def module(self):
        return Reader()

    def load(self, source):
        bits = torch.from_numpy(np.loadtxt(source, np.float32, delimiter=","))
        return torch.utils.data.TensorDataset(bits.unsqueeze(2), (bits.mean(1) > 0.5).float())

    def optimizer(self, parameters):
        adam = torch.optim.AdamW(parameters, lr=0.02)
        return adam, torch.optim.lr_scheduler.CosineAnnealingLR(adam, 100)

    def loss(self, module, batch):
        return nn.functional.binary_cross_entropy_with_logits(module(batch[0]), batch[1])

    def metric(self, module, data):
        return -self.mean(module, data)
