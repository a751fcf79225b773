"""The OpenAI chat format: `/v1/chat/completions` and `/v1/models`."""
