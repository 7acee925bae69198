#!/bin/sh
# Makes the macOS disk image. Needs Python 3.11 to 3.13 and Apple's command line tools.
set -eu
cd "$(dirname "$0")/../.."
python3 dev.py package
app="packaging/dist/SIMSPINE Viewer.app"
"$app/Contents/MacOS/simspine-viewer" --smoke-test
# Without a developer identity the signature is ad hoc: it starts after right click, Open.
codesign --force --deep --sign "${CODESIGN_IDENTITY:--}" "$app"
version="$(.venv/bin/python -c 'import pipeline; print(pipeline.__version__)')"
hdiutil create -volname "SIMSPINE Viewer" -srcfolder "$app" -ov -format UDZO \
    "packaging/dist/SIMSPINE_Viewer-$version-macos.dmg"
