/**
 * All mutants of a file in one text (mutant schemata): each place asks which mutant is on,
 *
 *   a * b   becomes   (active === 7 ? (a / (b)) : active === 8 ? (a) : active === 9 ? (b) : (a * b))
 *
 * so that a bundle is made once and a run switches through them. At most one is on, so a mutated text holds the source as it
 * is, and the branch in force holds the places inside it.
 */
import ts from 'typescript';
import { callMutations, gradientMutations } from './calls.ts';
import { type Mutant, type Mutation, plain, textOf } from './kinds.ts';
import { expressionMutations, isRemovable } from './operators.ts';
import { idleNodes } from './regions.ts';

export interface Mutated {
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

/** Whether two expressions have one type, so that they can change places unnoticed by the compiler. */
export type Alike = (a: ts.Node, b: ts.Node) => boolean;

const isAssignment = (kind: ts.SyntaxKind) =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;

/** Whether parentheses around the node change nothing: it stands where a value is wanted. */
function isValue(node: ts.Node): node is ts.Expression {
  const { parent } = node;
  if (!ts.isExpression(node) || ts.isSpreadElement(node) || ts.isOmittedExpression(node)) return false;
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) return parent.expression !== node;
  if (ts.isBinaryExpression(parent) && parent.left === node) return !isAssignment(parent.operatorToken.kind);
  if (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) {
    const inChain = ts.isOptionalChain(parent) || ts.isOptionalChain(node);
    return parent.expression === node ? !inChain : ts.isElementAccessExpression(parent);
  }
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent))
    return (
      parent.operator !== ts.SyntaxKind.PlusPlusToken && parent.operator !== ts.SyntaxKind.MinusMinusToken
    );
  if (ts.isForStatement(parent)) return parent.condition === node;
  if (ts.isForOfStatement(parent)) return parent.expression === node;
  return !(parent as { readonly name?: ts.Node }).name || (parent as { name?: ts.Node }).name !== node;
}

/** A list that something is assigned to: [a, b] = [b, a]. */
function isTarget(node: ts.Node): boolean {
  const { parent } = node;
  return (
    ts.isBinaryExpression(parent) &&
    parent.left === node &&
    parent.operatorToken.kind === ts.SyntaxKind.EqualsToken
  );
}

function mutationsOf(node: ts.Node): Mutation[] {
  if (ts.isStatement(node)) return isRemovable(node) ? [{ kind: 'statement', to: '' }] : [];
  if (!isValue(node)) return [];
  const found = expressionMutations(node);
  if (ts.isCallExpression(node)) found.push(...callMutations(node));
  if (ts.isArrowFunction(node)) found.push(...gradientMutations(node));
  const own = textOf(node);
  return found.filter(({ to }, i) => to !== own && found.findIndex((other) => other.to === to) === i);
}

/** Enough of the text of what is around a node to name a place. */
function around(node: ts.Node): string[] {
  const found: string[] = [];
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent)
    found.push(plain(textOf(at)).slice(0, 120));
  return found;
}

function runsAtLoad(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isFunctionLike(at)) return false;
    if (ts.isPropertyDeclaration(at))
      return at.modifiers?.some((m) => m.kind === ts.SyntaxKind.StaticKeyword) === true;
  }
  return true;
}

/**
 * @param path as it is written in the imports of the result
 * @param alike default: never, so that nothing is swapped
 */
export function mutate(file: ts.SourceFile, alike: Alike = () => false): Mutated {
  const idle = idleNodes(file);
  const mutants: Mutant[] = [];
  let next = 1;

  const render = (node: ts.Node): string => {
    if (idle.has(node)) return textOf(node);
    const own = mutationsOf(node).flatMap((mutation): Mutant[] => {
      const id = next++;
      const { kind, to, alike: pair } = mutation;
      if (pair !== undefined && !alike(...pair)) return [];
      const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      return [{ id, kind, line, from: textOf(node), to, within: around(node), atLoad: runsAtLoad(node) }];
    });
    mutants.push(...own);
    const inner = isTarget(node) ? textOf(node) : renderChildren(node);
    if (own.length === 0) return inner;
    if (ts.isStatement(node)) return `{ if (active !== ${own[0].id}) { ${inner} } }`;
    return `(${own.map(({ id, to }) => `active === ${id} ? (${to}) : `).join('')}(${inner}))`;
  };

  const renderChildren = (node: ts.Node): string => {
    let [text, at] = ['', node.getStart()];
    ts.forEachChild(node, (child) => {
      text += file.text.slice(at, child.getStart()) + render(child);
      at = child.end;
    });
    return text + file.text.slice(at, node.end);
  };

  return { text: renderChildren(file), mutants };
}

/** A file on its own, without knowledge of types. */
export function parse(name: string, text: string): ts.SourceFile {
  return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
}
