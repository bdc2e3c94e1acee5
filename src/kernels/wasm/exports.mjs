/**
 * What the compiled module exports: whatever a file of the assembly exports and no other file imports is there for
 * TypeScript. What both want is named in assembly/index.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export const INDEX = 'index.ts';

/** The syntax tree of a file of the assembly. */
export const parse = (folder, file) =>
  ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true);

/** Names in braces behind `import` or `export`, as the file that they come from calls them. */
const namesIn = (bindings) => bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);

const isExported = (node) =>
  node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;

/** Names that a statement declares for other files. */
function declared(node) {
  if (!isExported(node)) return [];
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.text);
  return [node.name.text];
}

/**
 * Each file that exports something, with the names, in the order of the files and of what is in them.
 * @param folder of the assembly
 */
export function exportsOf(folder) {
  const files = readdirSync(folder).sort();
  const trees = files.map((file) => ({ file, statements: [...parse(folder, file).statements] }));
  const key = (file, name) => `${file}: ${name}`;
  const target = ({ moduleSpecifier }) => `${moduleSpecifier.text.slice('./'.length)}.ts`;

  const named = new Set();
  const imported = new Set();
  for (const { file, statements } of trees) {
    for (const node of statements) {
      if (ts.isImportDeclaration(node)) {
        for (const name of namesIn(node.importClause.namedBindings)) imported.add(key(target(node), name));
      } else if (ts.isExportDeclaration(node)) {
        if (file !== INDEX) throw new Error(`${file} hands over what is another’s: ${node.getText()}`);
        for (const name of namesIn(node.exportClause)) named.add(key(target(node), name));
      }
    }
  }
  for (const one of named) if (!imported.has(one)) throw new Error(`${INDEX} need not name ${one}`);
  const isWanted = (name) => named.has(name) || !imported.has(name);
  return trees.flatMap(({ file, statements }) => {
    const names = statements.flatMap(declared).filter((name) => isWanted(key(file, name)));
    return names.length === 0 ? [] : [{ file, names }];
  });
}

/** The text of index.ts that says the same. */
export const indexText = (files) =>
  files.map(({ file, names }) => `export { ${names.join(', ')} } from './${file.slice(0, -3)}';\n`).join('');
