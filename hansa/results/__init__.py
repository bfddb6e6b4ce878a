"""What a job has made, in one's hands: its models, verified, as files that others read."""
