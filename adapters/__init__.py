"""One folder for each outside system. An adapter speaks the wire and knows no field's meaning; adapters never import each other."""
