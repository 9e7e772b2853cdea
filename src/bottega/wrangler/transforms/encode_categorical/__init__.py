"""Encode categorical: numbers in the place of categories."""

from bottega.wrangler.transforms.encode_categorical.by_target import CountEncode, TargetEncode
from bottega.wrangler.transforms.encode_categorical.one_hot import OneHotEncode
from bottega.wrangler.transforms.encode_categorical.ordinal import OrdinalEncode
from bottega.wrangler.transforms.encode_categorical.similarity import SimilarityEncode

__all__ = ["CountEncode", "OneHotEncode", "OrdinalEncode", "SimilarityEncode", "TargetEncode"]
