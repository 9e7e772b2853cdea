"""Processing jobs: a program over files of the object store.

``jobs`` has the operations, ``rules`` what they refuse, ``controller`` makes a job happen step by
step with ``launch``; what it has in common with training jobs is in ``bottega.jobs``.
"""
