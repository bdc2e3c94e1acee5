/** What is forgotten does not compile: a gradient, the samples or the error cases of an op, and the record of a module. */
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** First lines of what the compiler says of a file when one text in it is another. */
function complaints(file: string, from: string, to: string): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  const path = join(ROOT, file);
  host.getSourceFile = (name, target) => {
    if (name !== path) return read(name, target);
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

  it('compiles as it is', () => {
    expect(complaints(SWIGLU, "note: 'plain'", "note: 'plain '")).toEqual([]);
  });

  it.each([
    [
      'its gradient',
      'backward({ k, inputs: [gate, up], dy })',
      'spare({ k, inputs: [gate, up], dy }: never)',
    ],
    ['one of its thunks', '[() => grads().dgate, () => grads().dup]', '[() => grads(), () => grads().dup]'],
    ['its samples', '  samples: [', '  spare: ['],
    ['its error cases', '  errors: [', '  spare: ['],
  ])('does not compile without %s', (_, from, to) => {
    expect(complaints(SWIGLU, from, to)).not.toEqual([]);
  });

  it('does not compile with an empty list', () => {
    const [says] = complaints(SWIGLU, '  samples: [', '  samples: [].slice(0), spare: [');
    expect(says).toMatch(/is not assignable to type 'Some<Sample<NoAttrs>>'/);
  });
});

describe('a module', () => {
  it('does not compile without its record', () => {
    const [says] = complaints('src/verify/moduleCases.ts', '  SwiGLU: record<', '  Other: record<');
    expect(says).toContain("'Other' does not exist");
  });
});
