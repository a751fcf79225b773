"""Train the reader: pairs of question and passage, two stages of training, and the file that ships."""
