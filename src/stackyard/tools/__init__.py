"""One file per outside tool: typed arguments become argv or API calls here and nowhere else."""
