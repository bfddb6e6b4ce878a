"""Decoders of bytes from outside, fed with what nobody would send: see `benchmarks.fuzz`."""
