"""The articulated body on plain arrays: forward and inverse kinematics, angles; no OpenSim."""
