"""The command line, ``simspine``: what the window can do to a recording, without a window."""
