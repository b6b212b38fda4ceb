"""Documents as data, and their rendering to one HTML file or to plain data."""
