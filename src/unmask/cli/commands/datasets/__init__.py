"""``unmask datasets``: which layouts of data can be read, and what is in one on disk."""

import typer

app = typer.Typer(name="datasets", help="List and check data sets.", no_args_is_help=True)
