"""The audit: replays a job from its raw events and files, and says what does not follow."""
