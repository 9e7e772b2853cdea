"""Data Wrangler: tables prepared by steps that run on a columnar engine and read as pandas code.

======================  ============================================================================
``columns``             the types of columns, and tables' schemas
``parameters``          what a step can be told; checks and forms are made from it
``transform``           the one signature of a transform: SQL for the engine, pandas for people
``transforms/``         every transform, a module a group, and their registry
``flow/``               the ``.flow`` document, its graph and its edits
``sources/``            what data are read from, and what can be found out about a file
``engine/``             plans of SQL, fitted state, pages, materialised tables
``export/``             a flow as pandas, SQL, a scikit-learn transformer, a notebook, a job
``insight/``            profiles of columns, suggestions, the report, analyses
======================  ============================================================================

Nothing here knows operations, ports or HTTP: it runs in the daemon's worker, in a job, in a model
server and in a notebook.
"""
