"""Whether the corpus answers a question: features, a reader of question and passage, one probability."""
