"""A full disk is told as such: where, how much is left, which command to run again; and it heals."""
