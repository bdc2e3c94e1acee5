/** The page: a table of the specs for this address, run one by one from outside (`runSpec`) or all by the button. */
import { type BrowserSpec, resultOf, type Setting, type SpecResult } from './spec.ts';
import { specId, specsOf } from './specs.ts';

declare global {
  interface Window {
    /** Runs a spec of this page by its id and shows the result. */
    runSpec(id: string): Promise<SpecResult>;
  }
}

const [, isolation, bundle] = location.pathname.split('/');
const setting = (bundle === 'minified' ? 'minified' : isolation) as Setting;

function inWorker(id: string): Promise<SpecResult> {
  const worker = new Worker(new URL('worker.js', location.href), { type: 'module' });
  return new Promise<SpecResult>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<SpecResult>) => resolve(data);
    worker.onerror = ({ message }) =>
      resolve({ status: 'failed', text: `the worker failed: ${message}`, seconds: 0 });
    worker.postMessage(id);
  }).finally(() => worker.terminate());
}

interface Line {
  readonly spec: BrowserSpec;
  show(status: SpecResult['status'] | 'waiting' | 'running', seconds?: number, text?: string): void;
}

function line(spec: BrowserSpec): Line {
  const row = document.createElement('tr');
  const cells = ['', spec.name, spec.where, '', ''].map((text) => {
    const cell = document.createElement('td');
    cell.textContent = text;
    row.append(cell);
    return cell;
  });
  document.querySelector('#results')?.append(row);
  const show: Line['show'] = (status, seconds, text = '') => {
    cells[0].textContent = status;
    cells[0].className = status;
    cells[3].textContent = seconds === undefined ? '' : `${seconds.toFixed(1)} s`;
    cells[4].textContent = text;
  };
  show('waiting');
  return { spec, show };
}

const about = document.querySelector('#about') as HTMLParagraphElement;
about.textContent = [
  bundle,
  crossOriginIsolated ? 'cross-origin isolated' : 'not cross-origin isolated',
  `${navigator.hardwareConcurrency} cores`,
  navigator.userAgent,
].join(' · ');

const lines = new Map(specsOf(setting).map((spec) => [specId(spec), line(spec)]));

window.runSpec = async (id) => {
  const found = lines.get(id);
  if (found === undefined) throw new Error(`this page has no spec ${JSON.stringify(id)}`);
  found.show('running');
  // A spec may hold the page until it is done: the table is painted first.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
  const result = found.spec.where === 'page' ? await resultOf(found.spec) : await inWorker(id);
  found.show(result.status, result.seconds, result.text);
  return result;
};

const all = document.querySelector('#all') as HTMLButtonElement;
all.addEventListener('click', async () => {
  all.disabled = true;
  for (const id of lines.keys()) await window.runSpec(id);
  all.disabled = false;
});
