"""Power cuts: what a disk had really been told to keep, and whether every acknowledged line is in that."""
