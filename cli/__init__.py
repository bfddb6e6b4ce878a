"""The `hansa` command: one file a noun. Nothing here is needed by a daemon that is started from Python."""
