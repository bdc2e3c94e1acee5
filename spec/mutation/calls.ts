/**
 * Mutations of what this project is written in: kernels (`k.binary('mul', a, b)`), tensors (`x.add(y)`), modules
 * (`norm.call(x)`), gradients.
 */
import ts from 'typescript';
import { type Mutation, textOf } from './kinds.ts';
import { neighbours, swapped } from './operators.ts';

const OTHER_BINARY: Readonly<Record<string, readonly string[]>> = {
  add: ['sub'],
  sub: ['add'],
  mul: ['div', 'add'],
  div: ['mul', 'sub'],
  pow: ['mul'],
};
const OTHER_COMPARE: Readonly<Record<string, readonly string[]>> = {
  eq: ['ne', 'ge'],
  lt: ['le', 'ge'],
  ge: ['gt', 'lt'],
};

const literal = (node: ts.Node | undefined): string | null =>
  node !== undefined && ts.isStringLiteral(node) ? node.text : null;

/** Kernels on `k` or `backend`. */
function ofKernel(receiver: string, name: string, list: readonly ts.Expression[]): Mutation[] {
  const [x, a, b] = list.map(textOf);
  const as = (...texts: string[]): Mutation[] => texts.map((to) => ({ kind: 'call', to }));
  const op = literal(list[0]);
  if (name === 'binary' && op !== null) {
    const others = (OTHER_BINARY[op] ?? []).map((other) => `${receiver}.binary('${other}', ${a}, ${b})`);
    const ordered = ['sub', 'div', 'pow'].includes(op) ? [`${receiver}.binary('${op}', ${b}, ${a})`] : [];
    return as(...others, a, b, ...ordered);
  }
  if (name === 'compare' && op !== null) {
    const others = (OTHER_COMPARE[op] ?? []).map((other) => `${receiver}.compare('${other}', ${a}, ${b})`);
    return as(...others);
  }
  if (name === 'unary' && op !== null) return as(a);
  if (name === 'where') return as(a, b);
  if (name === 'sum')
    return [...as(x), { kind: 'un-broadcast', to: `${receiver}.sum(${x}, (${a}).slice(1))` }];
  if (name === 'cast') return as(x);
  return [];
}

/** Tensors: what the method was called on, its operand, another method. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  add: ['sub'],
  sub: ['add'],
  mul: ['div', 'add'],
  div: ['mul'],
  cos: ['sin'],
  sin: ['cos'],
  gelu: ['silu', 'relu'],
  neg: [],
  transpose: [],
  permute: [],
  reshape: [],
  expand: [],
  unsqueeze: [],
  slice: [],
  gatherRows: [],
  softmax: [],
  sum: [],
  to: [],
};
const WITH_OPERAND: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'div']);

function ofMethod(receiver: string, name: string, list: readonly ts.Expression[]): Mutation[] {
  const texts = list.map(textOf);
  if (name === 'call' && texts.length > 0) return [{ kind: 'call', to: texts[0] }];
  if (!Object.hasOwn(METHODS, name)) return [];
  const others = METHODS[name].map((other) => `${receiver}.${other}(${texts.join(', ')})`);
  const operand = WITH_OPERAND.has(name) ? [texts[0]] : [];
  return [receiver, ...others, ...operand].map((to) => ({ kind: 'call', to }));
}

/** Functions that give something of the kind they take; which arguments may stand in their place. */
const FUNCTIONS: Readonly<Record<string, readonly number[]>> = {
  'Math.exp': [0],
  'Math.sqrt': [0],
  'Math.abs': [0],
  'Math.log': [0],
  'Math.sin': [0],
  'Math.cos': [0],
  'Math.floor': [0],
  'Math.ceil': [0],
  'Math.max': [0, 1],
  'Math.min': [0, 1],
  sigmoid: [0],
  silu: [0],
  siluDerivative: [0],
  normalCdf: [0],
  normalDensity: [0],
  erfc: [0],
  swapLastTwo: [0],
  expandView: [0],
  foldRows: [1],
  permuteView: [0],
  sliceView: [0],
  swiglu: [0, 1],
  applyRotary: [0],
};
const OTHER_FUNCTION: Readonly<Record<string, string>> = {
  'Math.max': 'Math.min',
  'Math.min': 'Math.max',
  'Math.floor': 'Math.ceil',
  'Math.ceil': 'Math.floor',
  silu: 'sigmoid',
};

function ofFunction(name: string, list: readonly ts.Expression[]): Mutation[] {
  const texts = list.map(textOf);
  if (name === 'sumToShape') return [{ kind: 'un-broadcast', to: texts[1] }];
  if (list.some(ts.isSpreadElement)) return [];
  const found = (FUNCTIONS[name] ?? []).map((i): Mutation => ({ kind: 'call', to: texts[i] }));
  const other = OTHER_FUNCTION[name];
  if (other !== undefined) found.push({ kind: 'call', to: `${other}(${texts.join(', ')})` });
  return found;
}

/** The order of their arguments does not matter, not even to the last bit. */
const SYMMETRIC =
  /^(Math\.max|Math\.min|sameShape|broadcastShapes)$|\.(binary|compare) (add|mul|maximum|eq|ne)$/;

export function callMutations(node: ts.CallExpression): Mutation[] {
  const { expression: callee, arguments: list } = node;
  const name = textOf(callee);
  const found = ofFunction(name, list);
  if (ts.isPropertyAccessExpression(callee)) {
    const receiver = textOf(callee.expression);
    const isBackend = receiver === 'k' || receiver === 'backend';
    found.push(...(isBackend ? ofKernel : ofMethod)(receiver, callee.name.text, list));
  }
  const op = literal(list[0]);
  if (SYMMETRIC.test(op === null ? name : `${name} ${op}`)) return found;
  for (const pair of neighbours(list)) {
    const [a, b] = pair.map((i) => list[i]);
    found.push({ kind: 'swap', to: `${name}(${swapped(list, pair)})`, alike: [a, b] });
  }
  return found;
}

/** Whether a node is inside what computes gradients: a record's `backward`, or the gradients given to a maker of records. */
function inBackward(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if ((ts.isMethodDeclaration(at) || ts.isPropertyAssignment(at)) && textOf(at.name) === 'backward')
      return true;
    if (ts.isCallExpression(at) && textOf(at.expression) === 'binaryOp') return true;
  }
  return false;
}

/** A thunk that is handed over as a gradient: an element of a list, or a result. */
export function gradientMutations(node: ts.ArrowFunction): Mutation[] {
  const { parent } = node;
  const isGiven =
    ts.isArrayLiteralExpression(parent) || ts.isConditionalExpression(parent) || ts.isReturnStatement(parent);
  if (node.parameters.length > 0 || !isGiven || !inBackward(node)) return [];
  return [2, -1, 0].map((factor) => ({ kind: 'gradient', to: `scaled(${textOf(node)}, ${factor})` }));
}
