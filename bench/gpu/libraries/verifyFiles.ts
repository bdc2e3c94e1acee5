/** The verification, of golden folders on disk; the working directory is the repository's. (Node only) */
import { goldenFolder } from '../../../src/verify/node.ts';
import type { Library } from '../library.ts';
import { openVerification } from '../verification.ts';

export const open: Library['open'] = () => openVerification((name) => goldenFolder(`spec/goldens/${name}`));
