"""What the five papers measured: a file for each of them, read by ``protocols``."""
