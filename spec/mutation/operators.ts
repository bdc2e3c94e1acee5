/** Mutations of JavaScript as such: arithmetic, comparisons, conditions, numbers, indices, statements. */
import ts from 'typescript';
import { type Mutation, textOf } from './kinds.ts';

const { SyntaxKind } = ts;

const OTHER_COMPARISON: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
]);

const ARITHMETIC: ReadonlySet<ts.SyntaxKind> = new Set([
  SyntaxKind.PlusToken,
  SyntaxKind.MinusToken,
  SyntaxKind.AsteriskToken,
  SyntaxKind.SlashToken,
  SyntaxKind.PercentToken,
  SyntaxKind.AsteriskAsteriskToken,
]);

export function isArithmetic(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && ARITHMETIC.has(node.operatorToken.kind);
}

/** The expression with the parentheses around it. */
function outer(node: ts.Node): ts.Node {
  return ts.isParenthesizedExpression(node.parent) ? outer(node.parent) : node;
}

const isText = (node: ts.Node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);

function ofBinary(node: ts.BinaryExpression): Mutation[] {
  const [a, b] = [textOf(node.left), textOf(node.right)];
  const as = (kind: Mutation['kind'], ...texts: string[]): Mutation[] => texts.map((to) => ({ kind, to }));
  const comparison = OTHER_COMPARISON.get(node.operatorToken.kind);
  if (comparison !== undefined) return as('comparison', `${a} ${comparison} ${b}`);
  switch (node.operatorToken.kind) {
    case SyntaxKind.PlusToken:
      return isText(node.left) || isText(node.right) ? [] : as('arithmetic', `${a} - (${b})`, a, b);
    case SyntaxKind.MinusToken:
      return as('arithmetic', `${a} + (${b})`, a, `-(${b})`);
    case SyntaxKind.AsteriskToken:
      return as('arithmetic', `${a} / (${b})`, a, b);
    case SyntaxKind.SlashToken:
      return as('arithmetic', `${a} * (${b})`, a, ...(a === '1' ? [] : [`1 / (${b})`]));
    case SyntaxKind.PercentToken:
      return as('arithmetic', a);
    case SyntaxKind.AsteriskAsteriskToken:
      return as('arithmetic', a, `(${a}) * (${b})`);
    case SyntaxKind.PlusEqualsToken:
      return as('arithmetic', `${a} -= ${b}`, `${a} = ${b}`);
    case SyntaxKind.AsteriskEqualsToken:
    case SyntaxKind.SlashEqualsToken:
      return as('arithmetic', `${a} = ${b}`);
    case SyntaxKind.AmpersandAmpersandToken:
      return as('logic', a, b, `${a} || ${b}`);
    case SyntaxKind.BarBarToken:
      return as('logic', a, b, `(${a}) && (${b})`);
    case SyntaxKind.QuestionQuestionToken:
      return as('logic', a, b);
    default:
      return [];
  }
}

/** A number that something is made of: an initializer, a result, what is assigned. Not an index, nor part of a longer term. */
function isResult(node: ts.Node): boolean {
  const whole = outer(node);
  const { parent } = whole;
  if (ts.isBinaryExpression(parent))
    return parent.right === whole && parent.operatorToken.kind === SyntaxKind.EqualsToken;
  return (
    (ts.isVariableDeclaration(parent) && parent.initializer === whole) ||
    (ts.isArrowFunction(parent) && parent.body === whole) ||
    ts.isReturnStatement(parent)
  );
}

function ofResult(node: ts.Node): Mutation[] {
  if (!isArithmetic(node) || !isResult(node) || isText(node.left) || isText(node.right)) return [];
  const text = textOf(node);
  return [
    { kind: 'factor', to: `2 * (${text})` },
    { kind: 'sign', to: `-(${text})` },
  ];
}

function ofNumber(node: ts.NumericLiteral): Mutation[] {
  const value = Number(node.text);
  const other = Number.isSafeInteger(value) ? value + 1 : 2 * value;
  const texts = value === 0 ? [other] : [other, 0];
  return texts.map((n) => ({ kind: 'number', to: String(n) }));
}

function isCondition(node: ts.Node): boolean {
  const whole = outer(node);
  const { parent } = whole;
  return (
    (ts.isIfStatement(parent) && parent.expression === whole) ||
    (ts.isConditionalExpression(parent) && parent.condition === whole)
  );
}

/** Loops: one that never runs. One that never ends would only tell that tests have a time limit. */
function isLoopCondition(node: ts.Node): boolean {
  const { parent } = node;
  return (
    (ts.isForStatement(parent) && parent.condition === node) ||
    (ts.isWhileStatement(parent) && parent.expression === node)
  );
}

function ofCondition(node: ts.Node): Mutation[] {
  if (ts.isParenthesizedExpression(node)) return [];
  const texts = isCondition(node) ? ['true', 'false'] : isLoopCondition(node) ? ['false'] : [];
  return texts.map((to) => ({ kind: 'condition', to }));
}

/** Keys of a table are not positions. */
const KEYS: ReadonlySet<string> = new Set(['name', 'key', 'path', 'field']);

function ofIndex(node: ts.Node): Mutation[] {
  const { parent } = node;
  if (!ts.isElementAccessExpression(parent) || parent.argumentExpression !== node) return [];
  const text = textOf(node);
  if (ts.isNumericLiteral(node) || isText(node) || KEYS.has(text)) return [];
  return [`(${text}) + 1`, `(${text}) - 1`].map((to) => ({ kind: 'index', to }));
}

/** Neighbours in a list of arguments or elements. Numbers written out are left to `ofNumber`. */
export function neighbours(list: readonly ts.Expression[]): (readonly [number, number])[] {
  const isApt = (node: ts.Expression) =>
    !ts.isNumericLiteral(node) && !isText(node) && !ts.isSpreadElement(node) && !ts.isArrowFunction(node);
  return list.flatMap((node, i) => {
    const next = list[i + 1];
    const swaps = next !== undefined && isApt(node) && isApt(next) && textOf(node) !== textOf(next);
    return swaps ? [[i, i + 1] as const] : [];
  });
}

export function swapped(list: readonly ts.Expression[], [i, j]: readonly [number, number]): string {
  const texts = list.map(textOf);
  [texts[i], texts[j]] = [texts[j], texts[i]];
  return texts.join(', ');
}

function ofArray(node: ts.ArrayLiteralExpression): Mutation[] {
  const { elements } = node;
  return neighbours(elements).map((pair) => ({
    kind: 'swap',
    to: `[${swapped(elements, pair)}]`,
    alike: [elements[pair[0]], elements[pair[1]]],
  }));
}

/** What may stand in an expression's place. */
export function expressionMutations(node: ts.Expression): Mutation[] {
  const found: Mutation[] = [...ofCondition(node), ...ofIndex(node), ...ofResult(node)];
  if (ts.isBinaryExpression(node)) found.push(...ofBinary(node));
  else if (ts.isNumericLiteral(node)) found.push(...ofNumber(node));
  else if (ts.isArrayLiteralExpression(node)) found.push(...ofArray(node));
  else if (node.kind === SyntaxKind.TrueKeyword) found.push({ kind: 'boolean', to: 'false' });
  else if (node.kind === SyntaxKind.FalseKeyword) found.push({ kind: 'boolean', to: 'true' });
  else if (ts.isPrefixUnaryExpression(node)) {
    const bare = node.operator === SyntaxKind.MinusToken ? 'sign' : 'logic';
    const strips = node.operator === SyntaxKind.MinusToken || node.operator === SyntaxKind.ExclamationToken;
    if (strips) found.push({ kind: bare, to: textOf(node.operand) });
  }
  return found;
}

/** Memory is another matter: specs of scopes and heaps look after it. */
const MEMORY: ReadonlySet<string> = new Set(['keep', 'dispose', 'release']);

/** Whether a statement is worth leaving out: a call, a number that is written. Not a field being set for the first time. */
export function isRemovable(node: ts.Statement): boolean {
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  if (ts.isCallExpression(expression)) {
    const callee = expression.expression;
    if (callee.kind === SyntaxKind.SuperKeyword) return false;
    return !(ts.isPropertyAccessExpression(callee) && MEMORY.has(callee.name.text));
  }
  if (!ts.isBinaryExpression(expression)) return true;
  const { left } = expression;
  return !(ts.isPropertyAccessExpression(left) && left.expression.kind === SyntaxKind.ThisKeyword);
}
