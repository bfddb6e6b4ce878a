"""`hansa demo`: a job from posting to pay, every party a process of its own."""
