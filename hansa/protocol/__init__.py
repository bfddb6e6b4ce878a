"""The rules: what two sides, and the contracts, could disagree about. Pure functions; no file, socket or clock."""
