"""From ranked evidence to a cited answer: generators, the citation gate, abstention."""
