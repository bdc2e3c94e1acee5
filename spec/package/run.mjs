/**
 * npm run test:package: installs the packed package into an empty folder and does there what the README says: commands,
 * the example, types with skipLibCheck off, "go to definition". npm asks its registry for what its cache lacks.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { check } from './check.mjs';
import { pack, ROOT, tool, VERSION } from './pack.mjs';

const folder = mkdtempSync(join(tmpdir(), 'package-'));
const app = join(folder, 'app');

const npm = (...args) => execFileSync('npm', args, { cwd: app, encoding: 'utf8', stdio: 'pipe' });
const npx = (...args) =>
  execFileSync('npx', ['--no-install', ...args], { cwd: app, encoding: 'utf8', stdio: 'pipe' });

function expect(what, text, pattern) {
  if (!pattern.test(text)) throw new Error(`${what}: expected ${pattern}, got\n${text}`);
}

const CONSUMER = `import { Tensor, CogVLM, parseConfig } from 'cogvlm-ts';
import { loadPretrained } from 'cogvlm-ts/node';

export const loss = (x: Tensor): Tensor => x.mul(x).sum();
export const model = async (): Promise<CogVLM> => (await loadPretrained('first-light')).model;
export const config = parseConfig;
`;

/** Compiler options of projects that check every library. */
const PROJECTS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
};

function compile() {
  writeFileSync(join(app, 'consumer.ts'), CONSUMER);
  for (const [name, options] of Object.entries(PROJECTS)) {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      target: 'es2022',
      types: [],
      ...options,
    };
    writeFileSync(join(app, `${name}.json`), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    tool('typescript/bin/tsc', ['-p', `${name}.json`], app);
  }
}

/** Where an editor goes from the first use of a name in the consumer. */
function definitionOf(name) {
  const file = join(app, 'consumer.ts');
  const service = ts.createLanguageService({
    ...ts.sys,
    getCompilationSettings: () => ({
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      types: [],
    }),
    getScriptFileNames: () => [file],
    getScriptVersion: () => '0',
    getScriptSnapshot: (path) =>
      ts.sys.fileExists(path) ? ts.ScriptSnapshot.fromString(ts.sys.readFile(path) ?? '') : undefined,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getCurrentDirectory: () => app,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  });
  const [{ fileName, textSpan }] = service.getDefinitionAtPosition(file, CONSUMER.indexOf(name));
  // What the server of editors does with a place in a declaration.
  const { fileName: source, pos } = service
    .getSourceMapper()
    .tryGetSourcePosition({ fileName, pos: textSpan.start }) ?? { fileName, pos: textSpan.start };
  return { fileName: source, text: readFileSync(source, 'utf8').slice(pos, pos + 40) };
}

function steps() {
  return {
    'pack and read it': () => check(pack(folder)),
    'install it': () => {
      mkdirSync(app);
      npm('init', '-y');
      npm('install', '--prefer-offline', '--no-audit', join(folder, `cogvlm-ts-${VERSION}.tgz`));
    },
    'compile with skipLibCheck: false': compile,
    'go to definition': () => {
      for (const [name, source] of [
        ['Tensor,', 'src/tensor/tensor.ts'],
        ['loadPretrained', 'src/models/cogvlm/node.ts'],
      ]) {
        const { fileName, text } = definitionOf(name);
        if (!fileName.endsWith(`node_modules/cogvlm-ts/${source}`))
          throw new Error(`${name} leads to ${fileName}: ${text}`);
      }
    },
    'cogvlm verify': () => expect('cogvlm verify', npx('cogvlm', 'verify', '--quiet'), /modules: OK/),
    'cogvlm demo': () =>
      expect('cogvlm demo', npx('cogvlm', 'demo', '--no-pictures'), /\d+ of 12 .* captions right/),
    'the example of README.md': () => {
      const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'));
      writeFileSync(join(app, 'example.mjs'), code);
      const said = execFileSync(process.execPath, ['example.mjs'], { cwd: app, encoding: 'utf8' });
      expect('the example', said, /\[\[2\., 4\.\],\s+\[6\., 8\.\]\]/);
    },
  };
}

try {
  for (const [name, step] of Object.entries(steps())) {
    step();
    console.log(`✓ ${name}`);
  }
  console.log(
    execFileSync('du', ['-sk', 'node_modules/cogvlm-ts', 'node_modules'], { cwd: app, encoding: 'utf8' }),
  );
} catch (error) {
  console.error(`✗ ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
