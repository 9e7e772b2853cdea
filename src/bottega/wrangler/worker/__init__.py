"""The process behind an open flow: it keeps tables at hand, and runs code that comes with flows.

The daemon starts one for each folder that somebody prepares data in. It knows nothing that is not
in the requests, so it can be killed at any moment and another one goes on, only slower at first.

=============  =====================================================================================
``protocol``   messages on a socket
``process``    the program
``session``    what it does: one method a kind of request
``pages``      pages of tables, and of two tables side by side
=============  =====================================================================================
"""
