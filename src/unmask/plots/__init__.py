"""What scores look like: curves, calibration, rankings and maps of embeddings."""
