"""What it costs to train the same network and predict with it by this package and by its peers."""
