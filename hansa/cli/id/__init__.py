"""`hansa id`: what an account is to others: its DID, its keys, who may act for it."""
