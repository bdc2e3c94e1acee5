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
