"""How well follow-up questions are resolved: each asked in its conversation and in its stand-alone form."""
