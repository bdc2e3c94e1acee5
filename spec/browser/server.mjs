/**
 * The pages under test over HTTP on this machine alone:
 *
 *   /isolated/plain/     with COOP and COEP: the page is cross-origin isolated and has SharedArrayBuffer
 *   /open/plain/         without them
 *   …/minified/          the same bundle, minified
 *   /files/spec/goldens/, /files/models/first-light/   as they lie in the repository; a folder answers with its names as JSON
 */
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = fileURLToPath(new URL('page', import.meta.url));

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.json': 'application/json' };
const PUBLIC = ['spec/goldens/', 'models/first-light/'];

/** What is served: a page's HTML, what it is bundled from, and whether that comes minified, too. */
const SPECS = {
  index: join(page, 'index.html'),
  input: { main: join(page, 'main.ts'), worker: join(page, 'worker.ts') },
  minified: true,
};

/** The library with the pages' own code: file name → code. */
async function bundleForBrowsers(input, minify) {
  const bundle = await rolldown({
    input,
    platform: 'browser',
  });
  const { output } = await bundle.generate({
    format: 'esm',
    minify,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[hash].js',
  });
  await bundle.close();
  return new Map(output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source]));
}

/** @returns {Promise<{ origin: string, close(): Promise<void> }>} */
export async function serve(port = 0, { index, input, minified } = SPECS) {
  const bundles = new Map([['plain', await bundleForBrowsers(input, false)]]);
  if (minified) bundles.set('minified', await bundleForBrowsers(input, true));

  async function bodyOf(path) {
    if (path === '') return ['.html', await readFile(join(page, 'contents.html'))];
    const [first, second, ...rest] = path.split('/');
    if (first === 'files') {
      const file = path.slice('files/'.length);
      if (!PUBLIC.some((folder) => file.startsWith(folder)) || file.includes('..')) return undefined;
      if (!file.endsWith('/')) return [extname(file), await readFile(join(root, file))];
      return ['.json', JSON.stringify(await readdir(join(root, file)))];
    }
    if (first !== 'isolated' && first !== 'open') return undefined;
    const name = rest.join('/');
    if (name === '') return ['.html', await readFile(index)];
    const code = bundles.get(second)?.get(name);
    return code === undefined ? undefined : [extname(name), code];
  }

  async function answer(request, response) {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname).slice(1);
    const body = await bodyOf(path).catch((error) => {
      if (error.code === 'ENOENT' || error.code === 'EISDIR' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (body === undefined) return response.writeHead(404).end(`nothing at /${path}\n`);
    response.setHeader('Content-Type', TYPES[body[0]] ?? 'application/octet-stream');
    response.writeHead(200, path.startsWith('isolated/') ? ISOLATION : {}).end(body[1]);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
