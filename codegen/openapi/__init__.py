"""Any OpenAPI document: where it is read from, and what it says. Nothing here writes."""
