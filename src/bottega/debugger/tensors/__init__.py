"""The tensors of a training as files: the layout of smdebug, its writer and its reader.

``layout`` says which file is where, ``records`` what is in an events file, ``writer`` and ``trial``
are the two ends. Both smdebug and this package read what either of them has written.
"""
