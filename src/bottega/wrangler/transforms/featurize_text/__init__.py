"""Featurize text: numbers that say what a text is like, and which words it has."""

from bottega.wrangler.transforms.featurize_text.statistics import CharacterStatistics
from bottega.wrangler.transforms.featurize_text.vectorize import Vectorize

__all__ = ["CharacterStatistics", "Vectorize"]
