"""What a caller is told when something fails: codes, published shapes, exceptions to responses."""
