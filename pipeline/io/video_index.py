"""The index of any video: from its sidecar, its table of frames, or a pass over all its packets."""

from __future__ import annotations

from pathlib import Path

from pipeline.io.image_files import is_image_sequence
from pipeline.io.image_sequence import index_images
from pipeline.io.video_demux import index_by_demux
from pipeline.io.video_frames import VideoIndex
from pipeline.io.video_moov import index_by_moov
from pipeline.io.video_sidecar import read_sidecar, sidecar_path, write_sidecar

__all__ = ["VideoIndex", "index_video"]


def index_video(path: Path) -> VideoIndex:
    """Which frames a video file, or a folder or pattern of numbered pictures, shows.

    What was found is kept in the user's cache folder, so that the next time takes a few
    milliseconds; any change to the file makes it anew.

    Parameters
    ----------
    path : Path
        The video file, or what :func:`pipeline.io.image_sequence.is_image_sequence` knows.

    Returns
    -------
    VideoIndex
        A file that is cut off or damaged is indexed as far as it can be read, with a finding.

    Raises
    ------
    UserError
        One sentence naming the file and the cause, where no frame can be had.
    """
    if is_image_sequence(path):
        return index_images(path)
    sidecar = sidecar_path(path)
    known = None if sidecar is None else read_sidecar(sidecar, path)
    if known is not None:
        return known
    index = index_by_moov(path) or index_by_demux(path)
    if sidecar is not None:
        write_sidecar(sidecar, index)
    return index
