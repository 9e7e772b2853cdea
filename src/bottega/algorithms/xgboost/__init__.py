"""Gradient boosted trees: SageMaker's XGBoost algorithm on the current xgboost library."""
