"""Facts put on file: the lines of page 4.4, checked and written by key (page 5)."""
