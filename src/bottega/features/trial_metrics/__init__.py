"""SageMaker's metrics service: the values that trial components record."""
