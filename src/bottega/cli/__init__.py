"""The command line face: `bottega ...`."""
