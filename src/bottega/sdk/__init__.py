"""The Python face: a session, and objects with the field's names."""
