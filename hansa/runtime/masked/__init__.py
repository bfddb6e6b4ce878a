"""Masked jobs as everybody sees them: what the chain fixes over a model, and what files open its sum."""
