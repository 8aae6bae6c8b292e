"""The detectors people would pick instead of anbu, on the same cases with the same budget of false alerts."""
