"""Who is asked, what became of the mail, and what people answered."""
