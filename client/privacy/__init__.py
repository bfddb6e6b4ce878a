"""Differential privacy of what a trainer gives away: the account, the noise, the clipped steps, the budget's file."""
