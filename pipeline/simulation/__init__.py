"""OpenSim: the spine model is built, models are read, scaled and solved; nowhere else."""
