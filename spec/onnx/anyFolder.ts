/** A golden folder of any kind, ONNX's among them. */
import type { GoldenFolder } from '../../src/verify/golden.ts';
import type { Row } from '../../src/verify/row.ts';
import type { FloatDType } from '../../src/verify/samples.ts';
import { ElsewhereError, verifyFolder } from '../../src/verify/verify.ts';
import { rowsOf } from '../support/rows.ts';
import { verifyOnnx } from './onnx.ts';

export async function verifyAnyFolder(folder: GoldenFolder, dtype: FloatDType): Promise<readonly Row[]> {
  try {
    return (await verifyFolder(folder, dtype)).rows;
  } catch (error) {
    if (error instanceof ElsewhereError) return rowsOf(verifyOnnx(folder, dtype));
    throw error;
  }
}
