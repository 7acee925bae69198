"""The nouns everything else speaks of: skeleton, camera, layers, patch, sequence, history."""
