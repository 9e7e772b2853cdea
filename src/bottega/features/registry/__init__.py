"""The model registry: groups of model packages, their versions, and whether they are approved.

``groups``, ``packages`` and ``package_list`` have the operations; the controller validates what a
package says: that its images run here and its model data is in the object store.

``facts`` reads what jobs, models and endpoints say of their data, ``lineage`` makes a graph of it,
and ``overviews`` shows both to people.
"""
