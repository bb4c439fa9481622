"""The tables and measured plots of the five papers: what they ask, and ours beside theirs."""
