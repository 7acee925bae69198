# Makes the Windows installer. Needs Python 3.11 to 3.13 and Inno Setup 6 (iscc on the PATH).
$ErrorActionPreference = "Stop"
$root = Resolve-Path (Join-Path $PSScriptRoot "..\..")
Set-Location $root
python dev.py package
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
& packaging\dist\simspine-viewer\simspine-viewer.exe --smoke-test
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
$version = & .venv\Scripts\python.exe -c "import pipeline; print(pipeline.__version__)"
iscc "/DVersion=$version" packaging\windows\simspine-viewer.iss
exit $LASTEXITCODE
