"""The folders that the command leaves: runs, searches, comparisons, and their report page."""
