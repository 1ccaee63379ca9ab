"""The command line: reports without a reader."""
