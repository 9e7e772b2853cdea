"""The analyses, a module a subject; ``insight.registry`` lists them."""
