/** The verification in a browser. */
import { fetchGoldens } from '../../../spec/browser/page/httpFolder.ts';
import type { Library } from '../library.ts';
import { openVerification } from '../verification.ts';

export const open: Library['open'] = () => openVerification((name) => fetchGoldens(`spec/goldens/${name}`));
