"""`hansa wallet`: keys, balances, what a job owes an account, and why."""

from __future__ import annotations
