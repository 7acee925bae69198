"""The kinds of bar-coded video on which frame readers are known to go wrong, made on demand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av

from tests.truth.video import WIDTH, encode, ffmpeg_codes, passthrough, remux, truncate

N_FRAMES = 600
ZEROED_AT = 105
"""Stored position of the picture that the other damaged kinds lack half of."""
DAMAGED_FROM = 350
"""Stored position from which the damaged kind is damaged, up to its next keyframe, 500."""
_N_FEW = 200

SHOWN = {
    "b_frames": range(N_FRAMES),
    "variable_rate": range(N_FRAMES),
    "edit_list": range(65, N_FRAMES),  # 1.3 s at 50 per second cut off
    "open_gop": range(N_FRAMES),
    "transport_stream": range(N_FRAMES),
    "open_gop_ts": range(N_FRAMES),
    # Cut at the recovery point of frame 150 (in a transport stream: 200), behind which a picture
    # is stored that is shown before it and refers to what was cut off.
    "open_gop_cut_ts": range(200, N_FRAMES),
    "open_gop_cut_mkv": range(150, N_FRAMES),
    "matroska": range(N_FRAMES),
    "no_edit_list": range(N_FRAMES),
    "late_start": range(N_FRAMES),
    "avi": range(N_FRAMES),
    "avi_mpeg4": range(_N_FEW),
    "avi_mjpeg": range(_N_FEW),
    "fragmented": range(N_FRAMES),
    "elementary": range(N_FRAMES),
    "vp8": range(_N_FEW),
    "vp9": range(_N_FEW),
    "vp9_mp4": range(_N_FEW),
    "hevc": range(_N_FEW),
    "hevc_open_gop": range(_N_FEW),
    "hevc_ts": range(_N_FEW),
    "av1": range(_N_FEW),
    "av1_mkv": range(_N_FEW),
    "mpeg2": range(_N_FEW),
    "ntsc": range(_N_FEW),
    "mov_mjpeg": range(_N_FEW),
    "pyramid": range(_N_FEW),
    "gradual_refresh": range(_N_FEW),
    "pixel_aspect": range(_N_FEW),
}
"""The numbers that each undamaged kind shows, known from how it was made."""

_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "3"]
_GOP_250 = ["-x264-params", "keyint=250:min-keyint=250:scenecut=0"]
_OPEN_GOP = ["-x264-params", "open-gop=1:keyint=50:min-keyint=50:scenecut=0:repeat-headers=1"]
_X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "3"]
_X265 += ["-tag:v", "hvc1"]
_AV1 = ["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-g", "60", "-b:v", "400k"]
_AV1 += ["-pix_fmt", "yuv420p"]
# Half a second without pictures after frame 200, and every time shifted at random by up to 10 ms.
_VARIABLE = "settb=1/90000,setpts='N*1800+if(lt(N,200),0,45000)+floor(random(1)*900)'"


class VideoKinds:
    """Bar-coded videos by kind, each made once, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}
        self._codes: dict[str, list[int | None]] = {}

    def __getitem__(self, kind: str) -> Path:
        if kind not in self._paths:
            self._paths[kind] = _MAKERS[kind](self)
        return self._paths[kind]

    def codes(self, kind: str) -> list[int | None]:
        """The numbers that the ffmpeg command line shows, in its order."""
        if kind not in self._codes:
            self._codes[kind] = ffmpeg_codes(self[kind])
        return self._codes[kind]

    def path(self, name: str) -> Path:
        return self._folder / name


def _encoder(name: str, *options: str, n_frames: int = _N_FEW) -> Callable[[VideoKinds], Path]:
    return lambda kinds: encode(kinds.path(name), range(n_frames), *options)


def _remuxer(
    source: str, name: str, *options: str, start: float = 0.0
) -> Callable[[VideoKinds], Path]:
    return lambda kinds: remux(kinds[source], kinds.path(name), *options, start=start)


def _variable_rate(kinds: VideoKinds) -> Path:
    options = ["-vf", _VARIABLE, *passthrough(), "-enc_time_base", "1:90000"]
    options += ["-video_track_timescale", "90000"]
    return encode(kinds.path("vfr.mp4"), range(N_FRAMES), *_X264, *_GOP_250, *options)


def _ntsc(kinds: VideoKinds) -> Path:
    options = ["-vf", "settb=1/30000,setpts=N*1001", *passthrough(), "-enc_time_base", "1:30000"]
    options += ["-video_track_timescale", "30000"]
    return encode(kinds.path("ntsc.mp4"), range(_N_FEW), *_X264, *_GOP_250, *options)


def _damaged(kinds: VideoKinds) -> Path:
    """The second half of one picture zeroed, to which the rest of its group refers."""
    with av.open(str(kinds["b_frames"])) as container:
        packets = [(p.pts, p.pos, p.size) for p in container.demux(video=0) if p.size]
    # Stored before pictures that it is shown after: they refer to it.
    hit = next(k for k in range(DAMAGED_FROM, N_FRAMES) if packets[k][0] > packets[k + 1][0])
    _, position, size = packets[hit]
    data = bytearray(kinds["b_frames"].read_bytes())
    data[position + size // 2 : position + size] = bytes(size - size // 2)
    path = kinds.path("damaged.mp4")
    path.write_bytes(data)
    return path


def _zeroed(source: str, name: str) -> Callable[[VideoKinds], Path]:
    """The second half of a picture in the middle of its group zeroed, as lost disk blocks are."""

    def make(kinds: VideoKinds) -> Path:
        with av.open(str(kinds[source])) as container:
            packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
        # Matroska's demuxer gives the place of the block, a few bytes before the picture.
        position, size = packets[ZEROED_AT]
        data = bytearray(kinds[source].read_bytes())
        data[position + size // 2 : position + size - 8] = bytes(size - 8 - size // 2)
        path = kinds.path(name)
        path.write_bytes(data)
        return path

    return make


def _placed(name: str, a: int, b: int, c: int, d: int) -> Callable[[VideoKinds], Path]:
    """With the display matrix of ISO/IEC 14496-12 8.3.2."""

    def make(kinds: VideoKinds) -> Path:
        data = bytearray(kinds["b_frames"].read_bytes())
        matrix = data.index(b"tkhd") + 44  # after the type, 40 bytes of the version 0 box
        one = 1 << 16
        numbers = (a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
        data[matrix : matrix + 36] = b"".join(n.to_bytes(4, "big", signed=True) for n in numbers)
        path = kinds.path(name)
        path.write_bytes(data)
        return path

    return make


_MAKERS: dict[str, Callable[[VideoKinds], Path]] = {
    "b_frames": _encoder("b.mp4", *_X264, *_GOP_250, "-movflags", "+faststart", n_frames=N_FRAMES),
    "variable_rate": _variable_rate,
    "edit_list": _remuxer("b_frames", "edit.mp4", start=1.3),
    "open_gop": _encoder("open.mp4", *_X264, *_OPEN_GOP, n_frames=N_FRAMES),
    "transport_stream": _remuxer("b_frames", "b.ts"),
    "open_gop_ts": _remuxer("open_gop", "open.ts"),
    "open_gop_cut_ts": _remuxer("open_gop_ts", "cut.ts", start=3.1),
    "open_gop_cut_mkv": _remuxer("open_gop", "cut.mkv", start=3.1),
    "matroska": _remuxer("b_frames", "b.mkv"),
    "no_edit_list": _remuxer("b_frames", "plain.mp4", "-use_editlist", "0"),
    "late_start": _remuxer("b_frames", "late.mp4", "-output_ts_offset", "3.2"),
    "avi": _remuxer("b_frames", "b.avi"),
    "avi_mpeg4": _encoder("m4.avi", "-c:v", "mpeg4", "-bf", "2", "-g", "30", "-q:v", "5"),
    "avi_mjpeg": _encoder("mj.avi", "-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p"),
    "fragmented": _remuxer("b_frames", "frag.mp4", "-movflags", "frag_keyframe+empty_moov"),
    "elementary": _remuxer("b_frames", "raw.h264"),
    "vp9": _encoder(
        *("vp9.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
        *("-g", "60", "-b:v", "400k", "-pix_fmt", "yuv420p"),
    ),
    "vp8": _encoder(
        *("vp8.webm", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"),
        *("-g", "60", "-b:v", "400k", "-auto-alt-ref", "1", "-lag-in-frames", "10"),
    ),
    "vp9_mp4": _remuxer("vp9", "vp9.mp4"),
    "hevc": _encoder("hevc.mp4", *_X265, "-x265-params", "keyint=60:open-gop=0:log-level=error"),
    "hevc_open_gop": _encoder(
        *("hevc_open.mp4", *_X265, "-x265-params", "keyint=40:min-keyint=40:scenecut=0:open-gop=1"),
    ),
    "hevc_ts": _remuxer("hevc_open_gop", "hevc.ts"),
    "av1": _encoder("av1.mp4", *_AV1),
    "av1_mkv": _remuxer("av1", "av1.mkv"),
    "mpeg2": _encoder("mpeg2.mpg", "-c:v", "mpeg2video", "-bf", "2", "-g", "25", "-q:v", "3"),
    "ntsc": _ntsc,
    "mov_mjpeg": _encoder("mj.mov", "-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p"),
    "pixel_aspect": _encoder("aspect.mp4", *_X264, *_GOP_250, "-vf", "setsar=64/45"),
    "pyramid": _encoder(
        *("pyramid.mp4", "-c:v", "libx264", "-preset", "fast", "-bf", "8", "-pix_fmt", "yuv420p"),
        *("-x264-params", "b-pyramid=normal:ref=6:keyint=90"),
    ),
    "gradual_refresh": _encoder(
        *("refresh.mp4", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"),
        *("-x264-params", "intra-refresh=1:keyint=60"),
    ),
    "truncated": lambda kinds: truncate(kinds["b_frames"], kinds.path("cut.mp4"), 0.6),
    "damaged": _damaged,
    "damaged_vp9": _zeroed("vp9", "damaged.webm"),
    "damaged_hevc": _zeroed("hevc", "damaged_hevc.mp4"),
    "damaged_open_gop": _zeroed("open_gop", "damaged_open.mp4"),
    "damaged_av1": _zeroed("av1", "damaged_av1.mp4"),
    "turned": _placed("turned.mp4", 0, 1, -1, 0),
    "turned_180": _placed("turned_180.mp4", -1, 0, 0, -1),
    "turned_270": _placed("turned_270.mp4", 0, -1, 1, 0),
    "mirrored": _placed("mirrored.mp4", -1, 0, 0, 1),
    "upside_down": _placed("upside_down.mp4", 1, 0, 0, -1),
    "transposed": _placed("transposed.mp4", 0, 1, 1, 0),
    "anti_transposed": _placed("anti_transposed.mp4", 0, -1, -1, 0),
    "odd_size": _encoder(
        "odd.mkv", "-c:v", "ffv1", "-vf", f"crop={WIDTH}-1:ih-1:0:0,format=yuv444p"
    ),
}
