"""`hansa job`: post a job, look at it, stop it."""
