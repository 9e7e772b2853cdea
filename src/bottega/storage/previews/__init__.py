"""The first rows of a file: which format it has, what its columns are called and hold.

``preview.preview_file(path)`` looks at a file of this machine, ``preview.preview(source)`` at
anything that gives its first bytes. Both read little and import no numeric library: Parquet is read
by a process of its own.
"""
