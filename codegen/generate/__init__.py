"""From the fragment to the package: models, operations, resources."""
