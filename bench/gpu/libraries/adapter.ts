/** What the browser says of its GPU. */
import { adapterReport } from '../adapter.ts';
import type { Library } from '../library.ts';

export const open: Library['open'] = async () => async () => ({ adapter: await adapterReport() });
