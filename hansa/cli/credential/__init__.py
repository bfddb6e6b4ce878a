"""`hansa credential`: what one account vouches for about another."""
