"""Sending what others signed: what a relay is asked, what it takes, and where it is asked."""
