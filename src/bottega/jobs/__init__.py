"""What jobs of every kind have in common: their inputs become files, and what they leave is read
without trusting it.

``input_sources`` says which objects an input names, ``staging`` makes them files, ``job_files`` and
``artifacts`` read and upload what a job wrote, ``folder_sync`` does so while it runs, ``outcome``
words how it ended.
"""
