"""The AWS faces: protocols, signatures, and a pure core from request to response."""
