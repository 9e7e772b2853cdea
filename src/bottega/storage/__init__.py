"""Where state lives: resources in a metadata store, bytes in an object store."""
