"""The commands: a file is a command, a folder is a group of them.

Each module has a Typer application ``app``; ``unmask.cli.main`` finds it by its place.
"""
