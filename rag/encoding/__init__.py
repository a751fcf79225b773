"""Text to vectors, all of it through sentence-transformers; the offline default is unpacked here."""
