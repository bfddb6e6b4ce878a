"""`hansa aggregator`: run the daemon that validates, and ask how it stands."""
