"""The client library of Cewen."""
