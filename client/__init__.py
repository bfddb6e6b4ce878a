"""The trainer: learns on data that never leaves it, and registers encrypted updates."""

from client.config import TrainerConfig

__all__ = ["TrainerConfig"]
