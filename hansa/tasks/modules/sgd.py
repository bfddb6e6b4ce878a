"""SGD with momentum, step for step what torch.optim.SGD does, without the seconds that making one of those costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter


class Momentum:
    """v = momentum · v + gradient, w = w − learning_rate · v; v starts as the first gradient."""

    def __init__(self, parameters: Sequence[Parameter], learning_rate: float, momentum: float) -> None:
        self._parameters = parameters
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._velocity: list[Tensor | None] = [None] * len(parameters)

    def zero_grad(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    def step(self) -> None:
        import torch

        with torch.no_grad():
            for index, parameter in enumerate(self._parameters):
                if parameter.grad is None:
                    continue
                velocity = self._velocity[index]
                if velocity is None:
                    velocity = self._velocity[index] = parameter.grad.clone()
                else:
                    velocity.mul_(self._momentum).add_(parameter.grad)
                parameter.sub_(velocity, alpha=self._learning_rate)
