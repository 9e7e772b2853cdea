"""Models, endpoint configurations and endpoints.

``models``, ``endpoint_configs`` and ``endpoints`` have the operations, ``invocations`` the data
plane's; ``controller`` keeps endpoints up with ``staging``, ``instances``, ``health`` and
``removal``.
"""
