/** What is forgotten does not compile: a gradient, the samples or the error cases of an op, and the record of a module. */
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Files as they are, read once. */
const asIs = new Map<string, ts.SourceFile | undefined>();

/** First lines of what the compiler says of a file when one text in it is another. */
function complaints(file: string, from: string, to: string): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  const path = join(ROOT, file);
  host.getSourceFile = (name, target) => {
    if (name !== path) {
      if (!asIs.has(name)) asIs.set(name, read(name, target));
      return asIs.get(name);
    }
    const text = ts.sys.readFile(name) ?? '';
    if (text.split(from).length !== 2) throw new Error(`${file} has not exactly once: ${from}`);
    return ts.createSourceFile(name, text.replace(from, to), target);
  };
  const program = ts.createProgram([path], options, host);
  const source = program.getSourceFile(path);
  return program
    .getSemanticDiagnostics(source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n').split('\n')[0]);
}

describe('an op', () => {
  const SWIGLU = 'src/tensor/ops/swiglu.ts';
  const CASES = 'src/tensor/ops/swiglu.cases.ts';
  const TABLE = 'src/tensor/ops/cases.ts';

  it('compiles as it is', () => {
    expect(complaints(SWIGLU, "name: 'swiglu'", "name: 'swiglu '")).toEqual([]);
    expect(complaints(CASES, "note: 'plain'", "note: 'plain '")).toEqual([]);
  });

  it.each([
    [
      'its gradient',
      SWIGLU,
      'backward({ k, inputs: [gate, up], dy })',
      'spare({ k, inputs: [gate, up], dy }: never)',
      /'spare' does not exist in type 'Op<NoAttrs>'/,
    ],
    [
      'one of its thunks',
      SWIGLU,
      '[() => grads().dgate, () => grads().dup]',
      '[() => grads(), () => grads().dup]',
      /=> Gradients'/,
    ],
    ['its samples', CASES, '  samples: [', '  spare: [', /'spare' does not exist in type 'Cases<NoAttrs>'/],
    ['one sample', CASES, '  samples: [', '  samples: [].slice(0), spare: [', /'Some<Sample<NoAttrs>>'/],
    [
      'its error cases',
      CASES,
      '  errors: [',
      '  spare: [',
      /'spare' does not exist in type 'Cases<NoAttrs>'/,
    ],
    ['its place in the table of cases', TABLE, '  ...swiglu,\n', '', /^Property 'swiglu' is missing in type/],
  ])('does not compile without %s', (_, file, from, to, says) => {
    expect(complaints(file, from, to)).toContainEqual(expect.stringMatching(says));
  });

  it('does not compile with the attributes of another', () => {
    const all = complaints(
      'src/tensor/ops/softmax.cases.ts',
      '[4] }], attrs: { causal: false',
      '[4] }], attrs: { axis: 0',
    );
    expect(all).toContainEqual(expect.stringMatching(/'Some<Sample<\{ readonly causal: boolean; \}>>'/));
  });
});

describe('a module', () => {
  it('does not compile without its record', () => {
    const [says] = complaints('src/verify/moduleCases.ts', '  SwiGLU: record<', '  Other: record<');
    expect(says).toContain("'Other' does not exist");
  });
});
