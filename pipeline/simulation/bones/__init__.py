"""The bones' meshes, generated from measures with numpy alone."""
