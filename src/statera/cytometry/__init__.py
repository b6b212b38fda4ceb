"""Flow cytometry: files, compensation, scales, gates and statistics by well and population."""
