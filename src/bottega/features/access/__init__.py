"""Who the caller is and what roles may do: the parts of STS and IAM that SageMaker clients ask."""
