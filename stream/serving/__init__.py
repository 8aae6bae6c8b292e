"""Serving HTTP so that nobody outside can make it burst or stall: what the ingest endpoint, the page and the pages of
health have in common.

``limits.py`` has every bound; ``connection.py`` and ``crowd.py`` hold those of connections, ``guarded.py`` those of
requests and answers, ``server.py`` puts them together. A program serves by ``server.server`` or not at all.
"""
