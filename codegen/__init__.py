"""From a description of the API to ``sent_async/models/``, ``operations.py`` and ``resources/``.

``openapi`` reads any OpenAPI document. ``fragment`` checks our own description. ``generate`` writes the code from it.
``importer`` takes over the vendor's document. ``diff`` compares two documents.
"""
