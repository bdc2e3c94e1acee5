/**
 * What of a source file computes. The rest is left as it is: types, imports, texts, what is thrown, and whatever only those
 * refer to.
 */
import ts from 'typescript';
import { textOf } from './kinds.ts';

function isIdle(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return true;
  if (ts.isThrowStatement(node)) return true;
  return ts.isNewExpression(node) && textOf(node.expression).endsWith('Error');
}

function visit(root: ts.Node, see: (node: ts.Node) => boolean): void {
  if (see(root)) ts.forEachChild(root, (child) => visit(child, see));
}

type Named = ts.VariableDeclaration | ts.FunctionDeclaration | ts.ParameterDeclaration;

/** Whether an identifier stands for a value, rather than naming a declaration or a property. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name !== node;
  if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) return parent.name !== node;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  return (parent as Partial<Named>).name !== node || ts.isShorthandPropertyAssignment(parent);
}

const isExported = (node: ts.Node): boolean =>
  ts.canHaveModifiers(node) &&
  ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) === true;

/** Declarations of one name that is not seen from other files, and parameters of such functions. */
function isPrivate(node: ts.Node): node is Named {
  if (ts.isParameter(node)) return ts.isFunctionDeclaration(node.parent) && !isExported(node.parent);
  if (ts.isFunctionDeclaration(node)) return !isExported(node);
  return ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && !isExported(node.parent.parent);
}

/** Nodes that are left alone, with all that is in them. */
export function idleNodes(file: ts.SourceFile): ReadonlySet<ts.Node> {
  const idle = new Set<ts.Node>();
  visit(file, (node) => {
    if (isIdle(node)) idle.add(node);
    return true;
  });
  for (let before = -1; before !== idle.size; ) {
    before = idle.size;
    const used = new Set<string>();
    visit(file, (node) => {
      if (idle.has(node)) return false;
      if (ts.isIdentifier(node) && isUse(node)) used.add(node.text);
      return true;
    });
    visit(file, (node) => {
      if (isPrivate(node) && !used.has(textOf(node.name as ts.Node))) idle.add(node);
      if (ts.isCallExpression(node)) for (const unused of unusedArguments(file, node, idle)) idle.add(unused);
      return true;
    });
  }
  return idle;
}

/** Arguments for parameters that are left alone. */
function unusedArguments(
  file: ts.SourceFile,
  call: ts.CallExpression,
  idle: ReadonlySet<ts.Node>,
): ts.Expression[] {
  const callee = file.statements.find(
    (node) => ts.isFunctionDeclaration(node) && node.name?.text === textOf(call.expression),
  ) as ts.FunctionDeclaration | undefined;
  return call.arguments.filter((_, i) => {
    const parameter = callee?.parameters[i];
    return parameter !== undefined && idle.has(parameter);
  });
}
