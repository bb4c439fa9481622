"""Weights on this machine: their state, how missing ones are fetched, and the shipped files."""
