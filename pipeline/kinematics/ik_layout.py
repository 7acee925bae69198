"""Where things lie in the three flat arrays that the solver's kernels work on.

One array of integers and one of floats hold the tables, a third is the workspace. Flat arrays with
offsets in a header compile three times faster than a dozen shaped ones, and are handed over from
Python in a microsecond.
"""

from __future__ import annotations

# Header of the integer array: counts.
N_BODIES, N_STEPS, N_MARKERS, N_UNKNOWNS, N_TASKS, N_LANES = range(6)
# Header, continued: offsets into the integer array.
BODIES, STEPS, ACTIVE, LANE_UNKNOWN, FUNCTIONS, MARKERS, FILL_STARTS, FILL_ROWS, TASKS = range(
    6, 15
)
# Header, continued: offsets into the float array.
CONSTANTS, AXES, TERMS, KNOTS, LOCATIONS, UNKNOWNS = range(15, 21)
# Header, continued: offsets into the workspace.
(
    POSES,
    COLUMNS,
    POINTS,
    MOMENTS,
    LANES,
    HESSIAN,
    FACTOR,
    STOPPED,
    GRADIENT,
    STEP,
    RIGHT,
    PRODUCT,
    TRIAL,
    X,
    BEST,
    FIXED,
    HELD,
    TRYING,
    LEAP,
    RIVAL,
    WEIGHTS,
    OMEGAS,
    TARGETS,
    OBSERVED,
    WORK_SIZE,
) = range(21, 46)
HEADER = 46

# Rows of the integer tables.
BODY_SIZE = 3
BODY_PARENT, BODY_FIRST, BODY_STOP = range(BODY_SIZE)
STEP_SIZE = 7
(
    STEP_ROTATES,
    STEP_FUNCTION,
    STEP_COUPLER,
    STEP_UNKNOWN,
    STEP_LANE,
    STEP_ACTIVE,
    STEP_ACTIVE_STOP,
) = range(STEP_SIZE)
FUNCTION_SIZE = 3
FUNCTION_KIND, FUNCTION_FIRST, FUNCTION_STOP = range(FUNCTION_SIZE)
TASK_SIZE = 3
TASK_UNKNOWN, TASK_COUPLER, TASK_IS_PRIOR = range(TASK_SIZE)

# Rows of the float tables: the constants are (3, 4) transforms, an axis has a value behind it.
CONSTANT_SIZE, AXIS_SIZE, UNKNOWN_SIZE = 12, 4, 7
LOWER, UPPER, START_FROM, START_TO, DEFAULT, TURNS, IS_ROOT = range(UNKNOWN_SIZE)

# Rows of the workspace. Poses, columns and points come twice: the present and a trial.
POSE_SIZE, COLUMN_SIZE, POINT_SIZE, LANE_SIZE = 12, 8, 6, 6
# A branch's sums: w, w p, w p p' (xx xy xz yy yz zz), w e, w p e'.
SUM_W, SUM_P, SUM_PP, SUM_E, SUM_PE, MOMENT_SIZE = 0, 1, 4, 10, 13, 22
