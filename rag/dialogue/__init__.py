"""What a question means in its conversation: "那第二点呢？" made into a question that can be searched alone.

By rule and from the words of the conversation only; nothing here knows a corpus.
"""
