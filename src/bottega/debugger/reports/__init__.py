"""Reports on a training: one page of HTML, a notebook and JSON files.

``profiler_report.write`` is what the rule ProfilerReport leaves, ``xgboost_report.write`` what
CreateXgboostReport does.
"""
