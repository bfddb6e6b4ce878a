"""The validator: screens and scores updates, computes the next model bit for bit, votes its hash."""

from aggregator.config import ValidatorConfig

__all__ = ["ValidatorConfig"]
