"""What it costs to train and ask the same network by this package and by its peers."""
