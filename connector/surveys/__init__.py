"""What is asked, in which words, by which mail, and under which link."""
