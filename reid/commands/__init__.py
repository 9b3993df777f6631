"""One file per command of `byteface`: `add_arguments(parser)` and `run(args) -> int`."""
