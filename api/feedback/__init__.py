"""What readers thought of answers, the questions kept for those who look after a corpus, and their review."""
