"""`hansa trainer`: run the daemon that trains, and ask how it stands."""
