"""`hansa top`: a job live on one screen."""
