"""What looks into a training from inside its process, without a change in the user's script.

``session`` begins with the job and does nothing where neither a hook nor a profiler is configured.
``recorder`` decides what is saved and writes it; each framework has a hook that is put in place
when the framework is imported; ``timeline`` keeps when each phase of the training began and ended.
"""
