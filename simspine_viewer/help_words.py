"""What the words mean that stand in menus, lanes and panels without being everyday English."""

from __future__ import annotations

WORDS: tuple[tuple[str, str], ...] = (
    ("Absent", "The keypoint is not in this picture at all. Nothing is used of it there."),
    ("Annotated person", "The person whose points you see in colour and correct."),
    ("Body model", "A skeleton with joints, scaled to the person, that follows the points."),
    ("Calibration", "Where the cameras stand, how they look and how their lenses bend lines."),
    ("Close-up", "Every view shows the selected keypoint, equally large."),
    ("Confidence", "How sure the detector was, from 0 to 1: the mean score of the points. Placed "
     "points count as 1."),
    ("Cursor", "The frame that is shown, a line on the timeline."),
    ("Detection", "A point that a program found in a picture; its source is “detected”."),
    ("Drift", "How much faster or slower a camera's clock runs than the others."),
    ("Epipolar curve", "Where in this picture a point must be that was seen in another one."),
    ("Error threshold", "The residual above which a point is suspicious and shown in red."),
    ("Final", "3D points solved over time: all views and frames together. They are what is "
     "exported where there is no body model."),
    ("Finding", "Something that was noticed about your files, or about a camera."),
    ("Frame", "One instant, by its number. All views show the same frame."),
    ("From the prior", "Of an angle: the points tell less of it than what is usual for people. "
     "It is no measurement."),
    ("Held-out error", "Each view is predicted from the others and compared with what was seen "
     "in it; nothing that is judged has helped to make the prediction."),
    ("Interpolated", "A final point in a short gap, bridged from the frames around it."),
    ("Job", "Longer work that goes on in the background; the Jobs panel lists it."),
    ("Jump", "How far a point leaps out of its path in a single frame. Smooth motion, however "
     "fast, has none."),
    ("Keyframe", "A picture that a video file stores whole. It is shown, marked as an earlier one, "
     "while the right one is being decoded."),
    ("Keypoint", "A place of the body with a name, such as LHip; see Keypoint Definitions."),
    ("Labels", "Final points put together with the body model, by how well each is known. What you "
     "placed stands in them."),
    ("Lane", "One row of the timeline, for one number in every frame. Where a lane stands out, "
     "look at the pictures. Commands go by the chosen lane, which is marked with a bar."),
    ("Layout", "Which pictures, panels and 3D view are shown, and where."),
    ("Left/right", "Difference in length between a left bone and its right counterpart."),
    ("Limb length", "How much a long bone differs from its usual length in this recording."),
    ("Loupe", "Single pixels at the pointer, enlarged."),
    ("Marker", "A coloured flag on a frame, to find it again. It can carry a note."),
    ("Median", "The value in the middle: half of all values are smaller. A few wild ones do not "
     "move it."),
    ("Midline", "The points of head and spine, neither left nor right."),
    ("Missing", "Without a 3D point: fewer than two views see the keypoint."),
    ("Note", "What you write on a marked frame."),
    ("Occluded", "The keypoint is in the picture but hidden. Its detection is not used there; a "
     "point that you place is."),
    ("Offset", "How many frames of its own video a camera is late; negative: early."),
    ("Out of picture", "3D points that fall outside a view's picture."),
    ("Overlay", "All that is drawn over the pictures: points, lines, names."),
    ("Placed", "Put there by a person: its source is “manual-2d” (in a picture) or “manual-3d” "
     "(in the 3D view)."),
    ("Project", "The file that holds your work on a recording (.simspine). Your videos and "
     "detections stay as they are."),
    ("Proxy", "A small copy of a video, made in the background so that every frame is there at "
     "once. At rest you see the video itself."),
    ("Range", "Frames selected on the timeline, to be edited, looped or exported together."),
    ("Recording", "A folder with the videos, the calibration and the detections of one take."),
    ("Residual", "How far a point in a picture is from where its 3D position falls in that "
     "picture, in pixels."),
    ("RMS", "Root mean square: the square root of the mean of the squared residuals of one "
     "keypoint in one frame. One large residual weighs more than several small ones."),
    ("Score", "How sure the detector was of a point, from 0 to 1. Below 0.3 it is low."),
    ("Sigma", "How uncertain a 3D position is, in millimetres; one standard deviation."),
    ("Simulated", "Taken from a body with bones and joints that was fitted to the points: where a "
     "skeleton can be, not what was measured."),
    ("Source", "Where a value comes from: “detected” in a picture, “triangulated” from the views "
     "of one frame, “interpolated” in a short gap, “manual-2d” placed by a person in a picture, "
     "“manual-3d” in the 3D view, or “none”. It is written into CSV exports."),
    ("Stage", "What the pictures and the 3D view show of the points on their way from detection "
     "to export: what was seen, triangulated, simulated, or final."),
    ("Suspect", "The video is damaged shortly before this frame; its picture may be an older one."),
    ("Swap", "Left and right of an arm or leg mixed up in a view."),
    ("Threshold", "The value beyond which a frame stands out in a lane."),
    ("Track", "A person over time: the same number in every frame and view."),
    ("Trail", "The path of the selected keypoint, in the frames before and after this one."),
    ("Triangulated", "A 3D position found from the same point in two or more views of one frame."),
    ("Uncertainty", "The sigma of the selected keypoint, a dashed ellipse in every view, and "
     "what a pose model says of each point it found, a thin one around the point."),
    ("View", "One camera and its video."),
    ("Views seen", "The mean number of views that each 3D point rests on."),
    ("Weight", "How much the points of a part of the body count when the body model follows them: "
     "1 is usual, 0 leaves them out."),
)  # fmt: skip
"""A word and its meaning."""
