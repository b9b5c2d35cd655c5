"""Tools for tests and proofs: real processes with kill plans, ledgers of what a store promised, models of a store."""
