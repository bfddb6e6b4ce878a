"""`hansa doctor`: whether this machine can take part, and what to do where it can't."""
