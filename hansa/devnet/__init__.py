"""A whole federation on one machine: `hansa up`, `hansa demo`, tests and benchmarks build on it."""
