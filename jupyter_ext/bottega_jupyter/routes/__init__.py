"""One module a feature; each names its routes in ``routes``."""
