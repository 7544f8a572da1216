"""Training of the reader: data, training loop, export, judging. Not needed to run the product."""
