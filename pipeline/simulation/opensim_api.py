"""The one import of OpenSim: no log file in the working directory, environment as it was.

OpenSim's package changes ``LD_LIBRARY_PATH`` and ``PATH`` of the process when it is imported,
and its logger opens ``opensim.log`` in the working directory at the first message.
"""

from __future__ import annotations

import os
from typing import Any

_before = {name: os.environ.get(name) for name in ("LD_LIBRARY_PATH", "PATH")}
try:
    import opensim as _opensim
finally:
    for _name, _value in _before.items():
        if _value is None:
            os.environ.pop(_name, None)
        else:
            os.environ[_name] = _value

osim: Any = _opensim
osim.Logger.removeFileSink()
osim.Logger.setLevelString("off")
