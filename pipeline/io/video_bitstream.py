"""The few facts of coded packets that FFmpeg's demuxers do not tell: which pictures stand where.

Only needed where presentation timestamps cannot be trusted, and for the pictures that are stored
after the first keyframe but shown before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# ITU-T H.264 (08/2021) table 7-1 and ITU-T H.265 (08/2021) table 7-1.
_H264_IDR = 5
_HEVC_IDR = (19, 20)
_HEVC_DECODABLE_LEADING = (6, 7)
# ISO/IEC 14496-2, 6.2.5: vop_start_code, then two bits of vop_coding_type (2: B).
_MPEG4_VOP = re.compile(rb"\x00\x00\x01\xb6(.)", re.DOTALL)
_MPEG4_B = 2
_ZEROS_ARE_DAMAGE = ("h264", "hevc", "vp8", "vp9", "av1")
_HOLE = bytes(64)
_ZEROS = re.compile(rb"\x00{64,}").finditer


def has_hole(data: bytes, codec: str, extradata: bytes | None) -> bool:
    """Whether part of a packet was replaced by zeros, as unreadable or unwritten blocks are.

    Decoders show whatever that comes to, mostly without a sign. So many zeros in a row do not come
    out of an arithmetic coder, and are forbidden in H.264 and HEVC; only between the units of their
    byte stream format they may stand.
    """
    if codec not in _ZEROS_ARE_DAMAGE or _HOLE not in data:
        return False
    if codec in ("h264", "hevc") and not _is_prefixed(extradata):
        return any(match.end() < len(data) and data[match.end()] != 1 for match in _ZEROS(data))
    return True


def nal_types(data: bytes, codec: str, extradata: bytes | None) -> Iterator[int]:
    """NAL unit types of an H.264 (``"h264"``) or HEVC (``"hevc"``) packet, in stored order."""
    if extradata is not None and _is_prefixed(extradata):
        length_bytes = (extradata[4 if codec == "h264" else 21] & 3) + 1
        starts = _prefixed_starts(data, length_bytes)
    else:
        starts = (match.end() for match in re.finditer(rb"\x00\x00\x01", data))
    for start in starts:
        if start < len(data):
            yield data[start] & 31 if codec == "h264" else data[start] >> 1 & 63


def _is_prefixed(extradata: bytes | None) -> bool:
    # avcC and hvcC (ISO/IEC 14496-15) begin with their version, 1, and store the number of bytes
    # of a length prefix; a start code stands in their place in the byte stream format.
    return bool(extradata) and extradata is not None and extradata[0] == 1


def _prefixed_starts(data: bytes, length_bytes: int) -> Iterator[int]:
    position = 0
    while position + length_bytes < len(data):
        length = int.from_bytes(data[position : position + length_bytes], "big")
        position += length_bytes
        yield position
        position += length


def is_closed_keyframe(data: bytes, codec: str, extradata: bytes | None) -> bool:
    """Whether every picture from this H.264 or HEVC keyframe on is shown after all before it."""
    idr = (_H264_IDR,) if codec == "h264" else _HEVC_IDR
    return any(kind in idr for kind in nal_types(data, codec, extradata))


def is_decodable_leading(data: bytes, codec: str, extradata: bytes | None) -> bool:
    """Whether a picture shown before the first keyframe, but stored after it, can be decoded.

    Only HEVC has such pictures (RADL); elsewhere they refer to what is not in the file, and
    players do not show them.
    """
    return codec == "hevc" and any(
        kind in _HEVC_DECODABLE_LEADING for kind in nal_types(data, codec, extradata)
    )


def mpeg4_vop_kinds(data: bytes) -> list[bool]:
    """For each picture in an MPEG-4 part 2 packet, whether it is a B picture."""
    return [match[1][0] >> 6 == _MPEG4_B for match in _MPEG4_VOP.finditer(data)]
