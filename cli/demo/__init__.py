"""`hansa demo`: a whole federation on one machine. `Lab` is the reusable part: tests start, kill and restart with it."""
