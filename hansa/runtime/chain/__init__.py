"""The chain as the daemons see it: typed reads at a block, checked event lists, sends with a typed outcome."""
