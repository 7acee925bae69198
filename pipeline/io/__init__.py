"""Files in and out: recordings, calibrations, detections, video, projects, exports."""
