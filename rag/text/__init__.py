"""Chinese text as data: sentences, folding for comparison, index terms, numbers and enumerations."""
