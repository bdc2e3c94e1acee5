/** What the compiler knows of types: whether two expressions could change places unnoticed (Node only). */
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './bundle.ts';
import type { Alike } from './mutate.ts';

export interface Typed {
  /** With types; throws for a file that is not one of those asked for. */
  source(file: string): ts.SourceFile;
  readonly alike: Alike;
}

/** @param files paths in the project */
export function readTyped(files: readonly string[]): Typed {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, ROOT);
  const program = ts.createProgram(
    files.map((file) => join(ROOT, file)),
    options,
  );
  const checker = program.getTypeChecker();
  return {
    source: (file) => {
      const source = program.getSourceFile(join(ROOT, file));
      if (source === undefined) throw new Error(`${file} is not there`);
      return source;
    },
    alike: (a, b) => {
      const [left, right] = [a, b].map((node) =>
        checker.getBaseTypeOfLiteralType(checker.getTypeAtLocation(node)),
      );
      return checker.isTypeAssignableTo(left, right) && checker.isTypeAssignableTo(right, left);
    },
  };
}
