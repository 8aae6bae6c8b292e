"""A history judged, as a page to be read and printed: one HTML file that holds everything it needs."""
