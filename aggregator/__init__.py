"""The validator: screens and scores updates, computes the next model bit for bit, votes its hash."""
