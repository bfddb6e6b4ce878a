"""The sponsor's business: a job's terms and files, and its posting."""
