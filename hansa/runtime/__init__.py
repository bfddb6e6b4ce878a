"""What runs: the way to chain and store, and what keeps a daemon alive."""
