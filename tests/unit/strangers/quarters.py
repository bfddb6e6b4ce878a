"""Which quarter of an image is bright? A residual network with BatchNorm, trained with Adam."""

import numpy as np
import torch
from torch import nn

from hansa import ModuleTask, Rows


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))

    def forward(self, x):
        return torch.relu(x + self.inner(x))


class Quarters(ModuleTask):
    metric_name = "accuracy"

    def module(self):
        body = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), Residual(8), Residual(8)]
        return nn.Sequential(*body, nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(32, 4))

    def load(self, source):
        file = np.load(source)
        return Rows(file["images"], file["quarters"])

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, lr=0.01)

    def loss(self, module, batch):
        return nn.functional.cross_entropy(module(batch[0]), batch[1])

    def metric(self, module, data):
        return self.mean(module, data, lambda batch: (module(batch[0]).argmax(1) == batch[1]).float().mean())
