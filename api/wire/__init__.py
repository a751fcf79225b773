"""Our own wire format: strict JSON in, schemas, records to replies and back, events of a stream."""
