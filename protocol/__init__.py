"""What both sides, and the contracts, must agree on."""
