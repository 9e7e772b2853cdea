"""Tensors and profiles as screens show them: courses of numbers, and a timeline; in a process of
its own, since files of jobs are read and much is computed."""
