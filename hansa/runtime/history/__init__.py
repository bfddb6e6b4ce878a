"""A job's events, checked against what the contract stores, as a history."""
