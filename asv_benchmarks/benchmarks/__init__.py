"""What recollect promises of its speed, one module a subject; `make bench` runs them."""
