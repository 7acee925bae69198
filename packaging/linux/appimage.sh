#!/bin/sh
# Makes an AppImage of the folder that build.py made. Needs appimagetool on the PATH.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
packaging="$(dirname "$here")"
tree="$packaging/build/AppDir"
[ -x "$packaging/dist/simspine-viewer/simspine-viewer" ] || {
    echo "Run python packaging/build.py first." >&2
    exit 1
}
command -v appimagetool > /dev/null || {
    echo "appimagetool is not on the PATH; it is published by the AppImage project." >&2
    exit 1
}
rm -rf "$tree"
mkdir -p "$tree/usr/lib" "$tree/usr/share/applications" "$tree/usr/share/mime/packages"
cp -r "$packaging/dist/simspine-viewer" "$tree/usr/lib/simspine-viewer"
install -m 755 "$here/AppRun" "$tree/AppRun"
install -m 644 "$here/simspine-viewer.desktop" "$tree/simspine-viewer.desktop"
install -m 644 "$here/simspine-viewer.desktop" "$tree/usr/share/applications/"
install -m 644 "$here/simspine-viewer.xml" "$tree/usr/share/mime/packages/"
install -m 644 "$packaging/build/icons/simspine-viewer-256.png" "$tree/simspine-viewer.png"
exec appimagetool "$tree" "$packaging/dist/SIMSPINE_Viewer-$(uname -m).AppImage"
