"""``unmask weights``: where weights are, whether they are whole, and how to get more."""

import typer

app = typer.Typer(name="weights", help="List, check, get and import weights.", no_args_is_help=True)
