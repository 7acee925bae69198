"""The Qt application: synchronized video panes, a 3D view, a timeline, and editing."""
