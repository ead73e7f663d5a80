"""Training kernels: as torch, bit for bit the same in any company, and kept on disk."""
