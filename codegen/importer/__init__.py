"""The vendor's document, and how it becomes our fragment."""
