"""A classifier made of a torch module whose task carries the rows of all its parties."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hansa.tasks.base import Scores
from hansa.tasks.modules.task import ModuleTask
from hansa.tasks.rows import Rows
from hansa.tasks.study import Own, PartyStudy, majority

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


class PartyClassifier(ModuleTask, PartyStudy):
    """A module that gives each row's logits (n, classes), measured by accuracy. `configure` sets `everyone`."""

    measure = metric_name = "accuracy"
    metric_is_accuracy = True

    def load(self, source: str) -> Rows:
        return PartyStudy.load(self, source)

    def validation(self, seat: int, seats: int) -> Rows:  # type: ignore[override]
        """The task has everybody's rows: no member brings any."""
        return PartyStudy.validation(self, seat, seats)

    def loss(self, module: Module, batch: Any) -> Tensor:
        from torch.nn.functional import cross_entropy

        inputs, labels = batch
        return cross_entropy(module(inputs), labels)

    def metric(self, module: Module, data: Rows) -> float:
        return self.mean(module, data, lambda batch: (module(batch[0]).argmax(dim=1) == batch[1]).float().mean())

    def baseline_makers(self) -> dict[str, Callable[[Own], Scores]]:
        return {**super().baseline_makers(), "majority": majority}
