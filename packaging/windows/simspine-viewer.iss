; Inno Setup recipe for Windows. Run build.ps1, which passes the version.
#ifndef Version
  #error Pass the version: iscc /DVersion=1.2.3 simspine-viewer.iss
#endif

[Setup]
AppId={{6B0C5D0E-6B0F-4C57-9C1F-51A5B1E54C55}
AppName=SIMSPINE Viewer
AppVersion={#Version}
AppPublisher=The SIMSPINE Viewer developers
DefaultDirName={autopf}\SIMSPINE Viewer
DefaultGroupName=SIMSPINE Viewer
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
LicenseFile=..\..\LICENSE
SetupIconFile=..\build\icons\simspine-viewer.ico
UninstallDisplayIcon={app}\simspine-viewer.exe
OutputDir=..\dist
OutputBaseFilename=SIMSPINE_Viewer-{#Version}-windows
Compression=lzma2
SolidCompression=yes
ChangesAssociations=yes

[Files]
Source: "..\dist\simspine-viewer\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{group}\SIMSPINE Viewer"; Filename: "{app}\simspine-viewer.exe"

[Registry]
Root: HKA; Subkey: "Software\Classes\.simspine"; ValueType: string; ValueData: "SimspineProject"; Flags: uninsdeletevalue
Root: HKA; Subkey: "Software\Classes\SimspineProject"; ValueType: string; ValueData: "SIMSPINE project"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\SimspineProject\shell\open\command"; ValueType: string; ValueData: """{app}\simspine-viewer.exe"" ""%1"""

[Run]
Filename: "{app}\simspine-viewer.exe"; Description: "Start SIMSPINE Viewer"; Flags: nowait postinstall skipifsilent
