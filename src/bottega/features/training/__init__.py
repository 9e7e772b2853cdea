"""Training jobs: from CreateTrainingJob to a model artifact.

``jobs`` has the operations, ``rules`` what they refuse, ``controller`` makes a job happen step by
step with ``staging``, ``launch``, ``checkpoints`` and ``artifacts``; ``metrics`` reads the log,
``tracker`` keeps the job's MLflow run.
"""
