"""Linear models of rows of numbers: SageMaker's Linear Learner."""
