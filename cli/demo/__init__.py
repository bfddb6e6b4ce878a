"""`hansa demo`: a whole federation on one machine. `Lab` is the part that tests use too: start, kill, restart."""
