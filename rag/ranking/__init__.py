"""Which sentences answer: evidence features, their learned weights, and the calibrated confidence."""
