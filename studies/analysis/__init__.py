"""What the studies measure and claim: a module of the same name each, apart from the design."""
