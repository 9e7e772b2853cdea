"""Training jobs: from CreateTrainingJob to a model artifact.

``jobs`` has the operations, ``rules`` what they refuse, ``controller`` makes a job happen step by
step with ``channel_staging``, ``launch``, ``checkpoints`` and what ``bottega.jobs`` has for jobs of
every kind; ``metrics`` reads the log, ``tracker`` keeps the job's MLflow run.
"""
