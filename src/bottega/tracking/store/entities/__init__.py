"""SageMaker's experiments, trials and trial components as a view of MLflow's database.

An Experiment is an MLflow experiment and a TrialComponent a run. Tables of our own (``bottega_*``)
beside MLflow's keep what MLflow has no place for: the trials, which component belongs to which of
them, the components' names and some facts. Triggers fill them, so that a run is a component however
it was made.
"""
