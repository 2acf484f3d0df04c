"""The typed methods, one module for each resource of the API."""
