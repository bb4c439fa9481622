"""``unmask minibench``: a miniature benchmark that anybody can rebuild from real videos."""

import typer

app = typer.Typer(
    name="minibench",
    help="A miniature benchmark: it measures machinery and trends, not field accuracy.",
    no_args_is_help=True,
)
