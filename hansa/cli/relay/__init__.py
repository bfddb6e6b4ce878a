"""Sending what trainers without coin signed."""
