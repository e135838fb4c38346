"""Mechanisms by which neural networks remember and forget, on NumPy, PyTorch or a GPU."""
