"""What a change of the API description does to callers."""
