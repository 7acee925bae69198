"""The menu of what can be drawn as curves: of keypoints, and of the body model's joints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QMenu, QWidget

from simspine_viewer import curves_data as data

if TYPE_CHECKING:
    from pipeline.kinematics.model import KinematicModel
    from pipeline.kinematics.subject import Subject

REGIONS = {"L": "Lumbar", "T": "Thoracic", "C": "Cervical"}
_PELVIS, _TRUNK, _ARMS, _LEGS = "Pelvis", "Trunk and neck", "Arms", "Legs"
_GROUPS = {
    _PELVIS: ("pelvis",),
    _ARMS: ("clavicle", "scapula", "shoulder", "arm", "elbow", "pro", "forearm", "wrist", "hand"),
    _LEGS: ("hip", "knee", "ankle", "subtalar", "mtp"),
}


class CurvesMenu(QMenu):
    """Quantities to be ticked; joints come from the body model that is there when it opens."""

    def __init__(
        self,
        shown: Callable[[], list[str]],
        toggle: Callable[[str], None],
        subject: Callable[[], Subject | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown, self._toggle, self._subject = shown, toggle, subject
        self.fill()
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Make the entries for the body model as it is."""
        self.clear()
        of_body = False
        for quantity in data.QUANTITIES:
            if quantity.of_body and not of_body:
                of_body = True
                self.addSection("Body model")
            self._add(self, quantity.id, quantity.title)
        subject = self._subject()
        joints, coordinates = self.addMenu("Joints of the column"), self.addMenu("Joint angles")
        for menu in (joints, coordinates):
            menu.setEnabled(subject is not None)
            menu.setToolTipsVisible(True)
        if subject is not None:
            self._add_joints(joints, subject.model)
            self._add_coordinates(coordinates, subject.model)
        further = [name for name in self._shown() if name not in data.FIXED]
        if further:
            self.addSection("Shown as well")
        for name in further:
            known = data.quantity_of(name)
            if known is not None:
                self._add(self, name, known.title)

    def _add_joints(self, menu: QMenu, model: KinematicModel) -> None:
        from pipeline.kinematics.vertebrae import levels

        regions: dict[str, QMenu] = {}
        for level in levels():
            if {level.child, level.parent} <= set(model.body_names):
                region = REGIONS.get(level.name[0], REGIONS["L"])
                if region not in regions:
                    regions[region] = menu.addMenu(region)
                joint = regions[region].addMenu(data.level_title(level.name))
                for motion, title in data.MOTIONS.items():
                    self._add(joint, f"{level.name}.{motion}", title.capitalize())
        menu.setEnabled(bool(regions))

    def _add_coordinates(self, menu: QMenu, model: KinematicModel) -> None:
        from pipeline.kinematics.model import free_coordinates

        groups: dict[str, list[str]] = {one: [] for one in (_TRUNK, _PELVIS, _ARMS, _LEGS)}
        for c in np.flatnonzero(free_coordinates(model)):
            name = model.coordinate_names[c]
            groups[group_of(name)].append(name)
        for group, names in groups.items():
            if names:
                below = menu.addMenu(group)
                for name in names:
                    self._add(below, data.COORDINATE + name, data.coordinate_title(name))

    def _add(self, menu: QMenu, name: str, title: str) -> None:
        quantity = data.quantity_of(name)
        action = menu.addAction(f"{title} ({quantity.unit})" if quantity else title)
        action.setCheckable(True)
        action.setData(name)
        action.setChecked(name in self._shown())
        action.triggered.connect(lambda _=False: self._toggle(name))


def group_of(coordinate: str) -> str:
    """The part of the body that a joint coordinate belongs to, by its name."""
    return next(
        (group for group, starts in _GROUPS.items() if coordinate.startswith(starts)), _TRUNK
    )
