"""Local chains of other kinds than anvil, for `hansa up --chain` and `hansa demo --chain`."""
