"""x."""
def blend() -> None:
    """X."""
