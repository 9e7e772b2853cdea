"""Seq2Seq: an attention encoder-decoder that turns one sequence of tokens into another."""
