"""The ``.flow`` document: what it says, how its nodes hang together, and how it is edited."""
