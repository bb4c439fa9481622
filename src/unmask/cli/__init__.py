"""The command line: one file per command, arguments -> one library call -> print."""
