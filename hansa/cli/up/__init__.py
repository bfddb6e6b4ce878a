"""`hansa up`: a chain of your own."""
