#!/usr/bin/env python3
"""pdqhash_files.py FILES…: Pillow and pip pdqhash over files, eight positions each: what scans are measured beside."""
import sys

import numpy
import pdqhash
from PIL import Image

for path in sys.argv[1:]:
    pdqhash.compute_dihedral(numpy.asarray(Image.open(path).convert("RGB")))
