"""Models, endpoint configurations, endpoints and inference components.

*Operations*: ``models``, ``endpoint_configs``, ``endpoints``, ``descriptions``, ``capacities``,
``components`` (stored as ``component_resources`` has them, planned by ``component_planning``),
``rollbacks``, ``overviews``, ``traffic``, ``suggestions``; ``invocations`` has the data plane's.

*What is wanted*: ``planning`` makes a deployment of a configuration, ``policies`` reads how its
traffic moves, ``rollout`` says what comes next, ``outcomes`` and ``history`` how it ended.

*Making it so*: ``controller`` with ``downloads``, ``fleets`` of ``instances``, ``demand`` of
serverless variants, ``model_fetching`` of multi-model ones, ``publishing`` of routes, ``removal``.
"""
