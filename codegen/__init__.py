"""From the OpenAPI fragment to ``sent_async/models/`` and ``sent_async/operations.py``.

``load`` reads and checks, ``document`` answers questions about what was read, ``normalise`` says
it again in the form the generator understands, ``models`` and ``operations`` write text, and
``drift`` compares that text with the tree. Only ``drift.write`` touches a file.
"""
