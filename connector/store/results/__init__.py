"""What comes of answers: scores, follow-ups and their tasks, and who is told of them."""
