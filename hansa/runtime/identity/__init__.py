"""DIDs, credentials and admissions of a federation, on its chain."""
