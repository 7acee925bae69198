"""HRNet: branches of several resolutions side by side that exchange what they see."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

# Modules and branches of stages 2 to 4; four blocks in each branch (Sun et al. 2019).
_MODULES = (1, 4, 3)
_BLOCKS = 4
_STEM = 64


def _conv_bn(n_in: int, n_out: int, kernel: int = 1, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(n_out)]


def _down(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(*_conv_bn(n_in, n_out, 3, 2), nn.ReLU(inplace=True))


class _Basic(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv_bn(channels, channels, 3)
        self.conv2, self.bn2 = _conv_bn(channels, channels, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.bn1(self.conv1(x)))
        both: Tensor = self.relu(self.bn2(self.conv2(out)) + x)
        return both


class _Bottleneck(nn.Module):
    def __init__(self, n_in: int, middle: int) -> None:
        super().__init__()
        n_out = 4 * middle
        self.conv1, self.bn1 = _conv_bn(n_in, middle)
        self.conv2, self.bn2 = _conv_bn(middle, middle, 3)
        self.conv3, self.bn3 = _conv_bn(middle, n_out)
        self.downsample = nn.Sequential(*_conv_bn(n_in, n_out)) if n_in != n_out else nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        both: Tensor = self.relu(self.bn3(self.conv3(out)) + self.downsample(x))
        return both


def _fusion(channels: Sequence[int], source: int, target: int) -> nn.Module:
    """From one branch's size and channels to another's."""
    n_in, n_out = channels[source], channels[target]
    if source == target:
        return nn.Identity()
    if source > target:
        up = nn.Upsample(scale_factor=2 ** (source - target), mode="nearest")
        return nn.Sequential(*_conv_bn(n_in, n_out), up)
    steps: list[nn.Module] = [_down(n_in, n_in) for _ in range(target - source - 1)]
    return nn.Sequential(*steps, nn.Sequential(*_conv_bn(n_in, n_out, 3, 2)))


class _Module(nn.Module):
    def __init__(self, channels: Sequence[int], n_out: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(_Basic(c) for _ in range(_BLOCKS))) for c in channels
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_fusion(channels, source, target) for source in range(len(channels)))
            for target in range(n_out)
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        out = []
        for row in self.fuse_layers:
            assert isinstance(row, nn.ModuleList)
            parts = [layer(x) for layer, x in zip(row, maps, strict=True)]
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            out.append(self.relu(total))
        return out


class HrNet(nn.Module):
    """Branch at a quarter of the picture's size after four stages.

    Parameters
    ----------
    width : int
        Channels of that branch, 32 for HRNet-w32; each further branch has twice as many at half
        the size.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv_bn(3, _STEM, 3, 2)
        self.conv2, self.bn2 = _conv_bn(_STEM, _STEM, 3, 2)
        self.relu = nn.ReLU(inplace=True)
        wide = 4 * _STEM
        self.layer1 = nn.Sequential(
            *(_Bottleneck(_STEM if i == 0 else wide, _STEM) for i in range(_BLOCKS))
        )
        widths = [width * 2**i for i in range(4)]
        same = nn.Sequential(*_conv_bn(wide, width, 3), nn.ReLU(inplace=True))
        self.transition1 = nn.ModuleList([same, nn.Sequential(_down(wide, widths[1]))])
        self.transition2 = self._transition(widths, 2)
        self.transition3 = self._transition(widths, 3)
        self.stage2 = self._stage(widths, 0)
        self.stage3 = self._stage(widths, 1)
        self.stage4 = self._stage(widths, 2)

    @staticmethod
    def _transition(widths: Sequence[int], n: int) -> nn.ModuleList:
        """``n`` branches go on as they are; another one starts from the smallest."""
        start = nn.Sequential(_down(widths[n - 1], widths[n]))
        return nn.ModuleList([*(nn.Identity() for _ in range(n)), start])

    @staticmethod
    def _stage(widths: Sequence[int], stage: int) -> nn.Sequential:
        n = stage + 2
        modules = []
        for i in range(_MODULES[stage]):
            last = stage == 2 and i == _MODULES[stage] - 1
            modules.append(_Module(widths[:n], 1 if last else n))
        return nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) pictures to (N, width, H/4, W/4) features."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer1(self.relu(self.bn2(self.conv2(x))))
        maps: list[Tensor] = [step(x) for step in self.transition1]
        maps = self.stage2(maps)
        maps = self.stage3([*maps, self.transition2[-1](maps[-1])])
        maps = self.stage4([*maps, self.transition3[-1](maps[-1])])
        return maps[0]
