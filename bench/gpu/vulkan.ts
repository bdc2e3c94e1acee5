/**
 * What Node's WebGPU needs of a Linux machine, and what of it is not there: the Vulkan loader, a manifest that names a driver
 * (an ICD file), and the driver's own libraries. Rented GPU machines often have NVIDIA's libraries and no manifest, or no
 * loader. (Node only)
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface VulkanParts {
  /** Path of libvulkan.so.1. */
  readonly loader: string | null;
  /** Path of one that came with a browser. */
  readonly borrowedLoader: string | null;
  /** Manifests that VK_DRIVER_FILES or VK_ICD_FILENAMES names; null where neither is set. */
  readonly named: readonly string[] | null;
  /** Manifests where the loader looks by itself. */
  readonly manifests: readonly string[];
  /** Manifests elsewhere. */
  readonly strayManifests: readonly string[];
  /** Folders of what was found where the system does not look by itself. */
  readonly folders: readonly string[];
  /** NVIDIA's Vulkan driver as libraries, and the version of its kernel module. */
  readonly nvidia: { readonly libraries: readonly string[]; readonly module: string | null };
}

/** Environment variables under which WebGPU is looked for. */
export interface Setting {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
}

const MANIFEST_FOLDERS = [
  '/etc/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
];
/** Where containers get NVIDIA's driver mounted. */
const STRAY_FOLDERS = ['/usr/local/nvidia/share/vulkan/icd.d', '/usr/local/nvidia/vulkan/icd.d'];
const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/nvidia/lib64',
  '/usr/local/nvidia/lib',
];
const BROWSER_FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];
/** Without a display, as in a container, the first of them often refuses and the second answers. */
const NVIDIA_LIBRARIES = ['libGLX_nvidia.so.0', 'libEGL_nvidia.so.0'];

/** Name → path, as the system's linker sees it. */
function linkerCache(): Map<string, string> {
  const found = new Map<string, string>();
  try {
    const said = execFileSync('/sbin/ldconfig', ['-p'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for (const [, name, path] of said.matchAll(/^\s*(\S+) \([^)]*\) => (\S+)$/gm)) {
      if (!found.has(name)) found.set(name, path);
    }
  } catch {
    // Without ldconfig the usual folders tell.
  }
  return found;
}

const filesOf = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
const manifestsIn = (folders: readonly string[]) =>
  folders.flatMap((folder) =>
    filesOf(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name)),
  );

export function vulkanParts(env: NodeJS.ProcessEnv = process.env): VulkanParts {
  const cache = linkerCache();
  const asked = (env['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter(Boolean);
  const folders = new Set<string>();
  const find = (name: string): string | null => {
    const known = cache.get(name) ?? asked.map((folder) => join(folder, name)).find(existsSync);
    if (known !== undefined) return known;
    const folder = LIBRARY_FOLDERS.find((one) => existsSync(join(one, name)));
    if (folder === undefined) return null;
    folders.add(folder);
    return join(folder, name);
  };
  const named = env['VK_DRIVER_FILES'] ?? env['VK_ICD_FILENAMES'];
  const module = '/proc/driver/nvidia/version';
  const [loader, ...libraries] = ['libvulkan.so.1', ...NVIDIA_LIBRARIES].map(find);
  return {
    loader,
    folders: [...folders],
    borrowedLoader: BROWSER_FOLDERS.map((folder) => join(folder, 'libvulkan.so.1')).find(existsSync) ?? null,
    named: named === undefined ? null : named.split(delimiter).filter(existsSync),
    manifests: manifestsIn(MANIFEST_FOLDERS),
    strayManifests: manifestsIn(STRAY_FOLDERS),
    nvidia: {
      libraries: libraries.filter((path) => path !== null),
      module: existsSync(module) ? readFileSync(module, 'utf8').split('\n')[0] : null,
    },
  };
}

/**
 * What to try, the plainest first: the system as it is, manifests that lie elsewhere, manifests written for NVIDIA's libraries;
 * with the loader of a browser where the system has none. Where the environment names manifests, nothing but them.
 * @param scratch a folder to write manifests into
 */
export function settings(parts: VulkanParts, scratch: string, software: boolean): Setting[] {
  const { loader, borrowedLoader, strayManifests, nvidia } = parts;
  const folders = [...parts.folders];
  let by = '';
  if (loader === null) {
    if (borrowedLoader === null) return [];
    // Alone in a folder: the browser's other libraries are not to be found by the driver.
    const folder = join(scratch, 'loader');
    mkdirSync(folder, { recursive: true });
    symlinkSync(borrowedLoader, join(folder, 'libvulkan.so.1'));
    folders.unshift(folder);
    by = `, by the loader ${borrowedLoader}`;
  }
  const path = [...folders, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter);
  const base = { XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? scratch, LD_LIBRARY_PATH: path };
  const asItIs = { what: `the system as it is${by}`, env: base };
  if (parts.named !== null) return [asItIs];
  const of = (manifest: string): Setting => ({
    what: `${manifest}${by}`,
    env: { ...base, VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: manifest },
  });
  const written = nvidia.libraries.map((library) => {
    const file = join(scratch, `${library.split('/').at(-1)}.json`);
    const icd = { file_format_version: '1.0.1', ICD: { library_path: library, api_version: '1.3.0' } };
    writeFileSync(file, JSON.stringify(icd));
    return { ...of(file), what: `a manifest written for ${library}${by}` };
  });
  const ofBrowsers = BROWSER_FOLDERS.map((folder) => join(folder, 'vk_swiftshader_icd.json')).filter(
    existsSync,
  );
  return [asItIs, ...strayManifests.map(of), ...written, ...(software ? ofBrowsers.map(of) : [])];
}

/** What is missing, each with what to do about it. */
export function missing({ loader, named, manifests, strayManifests, nvidia }: VulkanParts): string[] {
  const found: string[] = [];
  if (loader === null) {
    found.push(
      'the Vulkan loader libvulkan.so.1: apt-get install libvulkan1 (Fedora: dnf install vulkan-loader)',
    );
  }
  const version = nvidia.module?.match(/\s(\d+)\.\d+(\.\d+)?\s/)?.[1];
  if (nvidia.module !== null && nvidia.libraries.length === 0) {
    found.push(
      `NVIDIA's kernel driver is there, its Vulkan driver (${NVIDIA_LIBRARIES.join(' or ')}) is not: ` +
        `apt-get install libnvidia-gl-${version ?? 'VERSION'}; a container needs NVIDIA_DRIVER_CAPABILITIES=all`,
    );
  }
  if (nvidia.module === null && nvidia.libraries.length === 0) {
    found.push(
      'no NVIDIA driver (/proc/driver/nvidia/version); other GPUs: apt-get install mesa-vulkan-drivers',
    );
  }
  if (named !== null && named.length === 0)
    found.push('the manifest that VK_DRIVER_FILES or VK_ICD_FILENAMES names: no file is there');
  if (manifests.length === 0 && strayManifests.length === 0 && nvidia.libraries.length === 0) {
    found.push(
      `a manifest of a Vulkan driver in ${MANIFEST_FOLDERS.slice(0, 2).join(' or ')}; drivers install theirs, ` +
        'VK_ICD_FILENAMES names one that lies elsewhere',
    );
  }
  return found;
}
