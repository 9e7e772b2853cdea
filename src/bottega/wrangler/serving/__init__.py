"""A fitted flow in front of a model: the same steps, with what they have learnt, on a few rows.

============  ======================================================================================
``fitted``    the document: a flow with what its steps have learnt, and which table it is served for
``plan``      which steps and columns an answer needs, without the label
``rows``      computes answers, in a small database in memory
``requests``  bodies of requests as rows, rows as bodies of answers
============  ======================================================================================
"""
