"""Our own description of the API, the fragment: its rules, and the endpoints that the code is generated from."""
