"""A residual network for small grey images (He et al., Deep Residual Learning for Image Recognition, CVPR 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hansa.tasks.images import CLASSES, SIDE

WIDTHS = (16, 32, 128, 256)
MEAN, SPREAD = 73.0, 90.0  # of Fashion-MNIST's bytes
SHIFT = 2  # pixels


class ResNet(nn.Module):
    """Bytes (n, 28, 28) to logits (n, 10): a stem, four blocks, the mean over what is left of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, WIDTHS[0], 3, 2, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU())
        before = (WIDTHS[0], *WIDTHS)
        self.blocks = nn.Sequential(*(Block(inward, width) for inward, width in zip(before, WIDTHS, strict=False)))
        self.out = nn.Linear(WIDTHS[-1], CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        pixels = (images.to(self.out.weight.dtype).unsqueeze(1) - MEAN) / SPREAD
        features: Tensor = self.blocks(self.stem(pixels)).mean(dim=(2, 3))
        logits: Tensor = self.out(features)
        return logits


class Block(nn.Module):
    """Two convolutions and a way around them; the first halves the image where it widens it."""

    def __init__(self, inward: int, width: int) -> None:
        super().__init__()
        stride = 1 if inward == width else 2
        self.first = nn.Conv2d(inward, width, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        self.around: nn.Module = nn.Identity()
        if stride > 1:
            self.around = nn.Sequential(nn.Conv2d(inward, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, inputs: Tensor) -> Tensor:
        between = self.first_norm(self.first(inputs)).relu()
        outputs: Tensor = (self.second_norm(self.second(between)) + self.around(inputs)).relu()
        return outputs


def augmented(images: Tensor) -> Tensor:
    """Each image (n, 28, 28) shifted by up to SHIFT pixels, and mirrored or not, as torch's generator draws."""
    count, device = len(images), images.device
    places = torch.arange(SIDE, device=device)
    down, right = torch.randint(0, 2 * SHIFT + 1, (2, count, 1), device=device)
    mirrored = torch.rand(count, 1, device=device) < 0.5
    columns = torch.where(mirrored, SIDE - 1 - places, places) + right
    padded = nn.functional.pad(images, (SHIFT, SHIFT, SHIFT, SHIFT))
    which = torch.arange(count, device=device)[:, None, None]
    return padded[which, (places + down)[:, :, None], columns[:, None, :]]
