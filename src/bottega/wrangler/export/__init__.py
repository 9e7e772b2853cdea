"""A flow as code that needs nothing of bottega: pandas, SQL, scikit-learn, notebooks, jobs."""
