"""What the Debugger of a training job is: its configuration, its outputs, the jobs that stand for
the evaluation of its rules. Training, processing and the Debugger's own feature share it."""
