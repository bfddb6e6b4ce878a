"""Sending: simulate, journal, sign, wait; a typed outcome for each."""
