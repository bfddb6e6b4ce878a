"""`hansa model`: a job's models, checked against the chain."""
