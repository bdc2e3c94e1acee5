/** An installed Chromium or Chrome. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Names on the PATH. */
const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

const MAC_APPS = ['Chromium.app/Contents/MacOS/Chromium', 'Google Chrome.app/Contents/MacOS/Google Chrome'];
const WINDOWS_PROGRAMS = ['Google\\Chrome\\Application\\chrome.exe', 'Chromium\\Application\\chrome.exe'];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function usualPlaces(env, platform) {
  if (platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(Boolean);
    return folders.flatMap((folder) => WINDOWS_PROGRAMS.map((program) => join(folder, program)));
  }
  const onPath = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const folders = [...onPath, '/usr/bin', '/usr/local/bin', '/snap/bin'];
  const commands = folders.flatMap((folder) => COMMANDS.map((command) => join(folder, command)));
  if (platform !== 'darwin') return commands;
  const applications = ['/Applications', join(env.HOME ?? '', 'Applications')];
  return [...applications.flatMap((folder) => MAC_APPS.map((app) => join(folder, app))), ...commands];
}

/**
 * CHROMIUM_PATH or CHROME_PATH, else the first one in the usual places.
 * @throws Error where there is none, with how to get one
 */
export function findChromium(env = process.env, platform = process.platform) {
  for (const name of ['CHROMIUM_PATH', 'CHROME_PATH']) {
    const path = env[name];
    if (!path) continue;
    if (isExecutable(path)) return path;
    throw new Error(`${name} is ${path}, and no program is there`);
  }
  const found = usualPlaces(env, platform).find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'the browser specs need Chromium or Chrome, and none was found. Install one:\n' +
      '  Debian, Ubuntu   apt-get install --no-install-recommends chromium   (Ubuntu: chromium-browser)\n' +
      '  Fedora           dnf install chromium\n' +
      '  macOS            brew install --cask chromium\n' +
      '  Windows          winget install Google.Chrome\n' +
      'or set CHROMIUM_PATH to its program.',
  );
}

/**
 * Playwright gives a fresh profile and turns off most of what a browser does on its own; where no name is found, nothing of
 * the rest leaves this machine.
 */
export const OFFLINE_FLAGS = [
  '--disable-quic',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--enable-unsafe-webgpu',
];

/** Software drivers, so that results are the same on every machine. */
export const SOFTWARE_FLAGS = [
  ...OFFLINE_FLAGS,
  '--enable-unsafe-swiftshader',
  '--use-angle=swiftshader',
  '--use-webgpu-adapter=swiftshader',
];

/** The machine's GPU through Vulkan, without a display. */
export const GPU_FLAGS = [
  ...OFFLINE_FLAGS,
  '--use-angle=vulkan',
  '--enable-features=Vulkan',
  '--disable-vulkan-surface',
  '--ignore-gpu-blocklist',
];

/** Chromium refuses its sandbox to root. */
export const hasSandbox = () => process.getuid?.() !== 0;
