"""SageMaker's lineage: artifacts, actions and contexts, and what came from what."""
