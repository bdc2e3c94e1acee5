/**
 * What TypeScript knows of the compiled kernels, taken from where it stands: names, parameters and comments from the syntax
 * trees of assembly/*.ts, numbers from the compiled module itself.
 */
import ts from 'typescript';
import { parse } from './exports.mjs';

const HEAD = `/**
 * Written by build.mjs from assembly/*.ts; not edited by hand. Addresses and strides are in bytes, lengths in elements.
 */
`;

/** Types of AssemblyScript that a JavaScript number is passed for. */
const NUMBERS = new Set(['i32', 'usize', 'f32', 'f64', 'bool']);

/**
 * Text of signatures.ts.
 * @param folder of the assembly
 * @param exported what the module exports of each file (exports.mjs)
 * @param module the compiled module, which imports nothing but functions of Math beside its memory
 */
export function signatures(folder, exported, module) {
  const imports = WebAssembly.Module.imports(module).filter(({ kind }) => kind === 'function');
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const math = Object.fromEntries(imports.map(({ name }) => [name, Math[name]]));
  const { exports } = new WebAssembly.Instance(module, { env: { memory, ...math } });

  const functions = exportedFunctions(folder, exported);
  for (const { name, parameters } of functions) {
    if (exports[name]?.length !== parameters.length)
      throw new Error(`${name} of the assembly and of the module have different parameters`);
  }
  const kernels = functions.filter(({ result }) => result === 'void');
  const measures = functions.filter(({ result }) => result !== 'void');
  const { numbers, enums } = constants(exports);

  return `${HEAD}
/** What each kernel takes. */
export interface Arguments {
${kernels.map((kernel) => `${kernel.comment}  readonly ${kernel.name}: ${fields(kernel, '    ')};`).join('\n')}
}

export type KernelName = keyof Arguments;

export type Kernels = { readonly [K in KernelName]: (args: Arguments[K]) => void };

/** Functions that write nothing and return a number. */
export interface Measures {
${measures.map((measure) => `${measure.comment}  ${measure.name}(args: ${fields(measure, '    ')}): number;`).join('\n')}
}

/** The functions of the module, which take numbers in the order of the assembly. */
export type Exports = { readonly [K in KernelName]: (...numbers: number[]) => void } & {
  readonly [M in keyof Measures]: (...numbers: number[]) => number;
};

/** The arguments of a kernel in the order in which the module takes them. */
export const numbersOf: { readonly [K in KernelName]: (args: Arguments[K]) => number[] } = {
${kernels.map(({ name, parameters }) => `  ${name}: (args) => [${list(parameters)}],`).join('\n')}
};

/** The functions of the module, called by the names of their arguments. */
export const named = (module: Exports): Kernels & Measures => ({
${functions.map(({ name, parameters }) => `  ${name}: (args) => module.${name}(${list(parameters)}),`).join('\n')}
});

/** Functions of Math that the module imports. */
export const IMPORTS = [${imports.map(({ name }) => `'${name}'`).join(', ')}] as const;

${numbers.map(([name, value]) => `export const ${name} = ${value};`).join('\n')}
${Object.entries(enums)
  .map(
    ([name, members]) => `
export const ${name} = {
${members.map(([member, value]) => `  ${member}: ${value},`).join('\n')}
} as const;
`,
  )
  .join('')}`;
}

const list = (parameters) => parameters.map((parameter) => `args.${parameter}`).join(', ');

function fields({ parameters }, indent) {
  const lines = parameters.map((parameter) => `${indent}readonly ${parameter}: number;`);
  return `{\n${lines.join('\n')}\n${indent.slice(2)}}`;
}

/** The functions among what the module exports. */
function exportedFunctions(folder, files) {
  return files.flatMap(({ file, names }) =>
    parse(folder, file)
      .statements.filter((node) => ts.isFunctionDeclaration(node) && names.includes(node.name.text))
      .map(signatureOf),
  );
}

function signatureOf(node) {
  const name = node.name.text;
  for (const { type } of node.parameters) {
    if (!NUMBERS.has(type?.getText())) throw new Error(`${name} takes a ${type?.getText()}`);
  }
  const comment = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)?.getText();
  return {
    name,
    parameters: node.parameters.map((parameter) => parameter.name.getText()),
    result: node.type.getText(),
    comment: comment === undefined ? '' : `${comment.replace(/^/gm, '  ')}\n`,
  };
}

/**
 * Numbers that the module exports; members of an enum have its name before a dot. (Of a `const enum`: the compiler puts those
 * of others in too late to make a loop for each.)
 */
function constants(exports) {
  const numbers = [];
  const enums = {};
  for (const [name, value] of Object.entries(exports)) {
    if (!(value instanceof WebAssembly.Global)) continue;
    const [group, member] = name.split('.');
    if (member === undefined) numbers.push([name, value.value]);
    else {
      enums[group] ??= [];
      enums[group].push([member, value.value]);
    }
  }
  return { numbers, enums };
}
