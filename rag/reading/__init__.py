"""From bytes to documents: decode, find the parts of the page, reflow its paragraphs, keep the map back."""
