"""The search behind hyperparameter tuning: what to try next, what to stop, when to end.

Pure: everything here is a function of the trials so far and a seed. It knows no store, no clock and
no job; ``bottega.features.tuning`` turns training jobs into trials and acts on the answers.

``spaces`` says what a range is, ``trials`` what is known of a training job, ``search`` what to try
next, ``stopping`` which running trial to stop, ``completion`` when no more are to start, ``best``
which was best and which parameter mattered, ``warm_start`` what earlier tuning jobs teach, and
``autotune`` what is decided for those who leave it open.
"""
