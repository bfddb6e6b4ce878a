"""`hansa wallet`: keys, balances, claims and why they are what they are."""
