/**
 * In place of 'vitest' for specs inside a bundle: collects their tests, to be run as often as wanted in this process. The
 * matchers are vitest's own.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
} from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  (globalThis as Record<PropertyKey, unknown>)[ASYMMETRIC_MATCHERS_OBJECT],
);

type Body = (...args: unknown[]) => unknown;

interface Suite {
  readonly name: string;
  readonly before: Body[];
  readonly after: Body[];
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
  readonly tests: { readonly name: string; readonly body: () => unknown }[];
  readonly suites: Suite[];
}

const emptySuite = (name = ''): Suite => ({
  name,
  before: [],
  after: [],
  beforeEach: [],
  afterEach: [],
  tests: [],
  suites: [],
});

const files = new Map<string, Suite>();
let open = emptySuite();

/** Called at the start of each spec. */
export function begin(file: string): void {
  open = emptySuite();
  files.set(file, open);
}

export const beforeAll = (body: Body): number => open.before.push(body);
export const afterAll = (body: Body): number => open.after.push(body);
export const beforeEach = (body: Body): number => open.beforeEach.push(body);
export const afterEach = (body: Body): number => open.afterEach.push(body);

function addTest(name: string, body: Body): void {
  open.tests.push({ name, body: () => body() });
}

function addSuite(name: string, body: Body): void {
  const around = open;
  open = emptySuite(name);
  around.suites.push(open);
  try {
    body();
  } finally {
    open = around;
  }
}

/** `each(table)(name, body)`: the entries of a list are its arguments, anything else is the only one. */
function withEach(add: (name: string, body: Body) => void) {
  const each = (table: readonly unknown[]) => (name: string, body: Body) => {
    for (const [i, row] of table.entries())
      add(name === '%s' ? String(row) : `${name} #${i}`, () => body(...(Array.isArray(row) ? row : [row])));
  };
  return Object.assign(add, { each });
}

export const it = withEach(addTest);
export const describe = withEach(addSuite);

/**
 * Runs the tests of one spec in order up to the first that fails.
 * @param wanted names of its suites; the whole spec unless given
 * @throws what the test threw, with its name
 */
export async function runSpec(file: string, wanted?: (name: string) => boolean): Promise<void> {
  const suite = files.get(file);
  if (suite === undefined) throw new Error(`${file} is not in the bundle`);
  if (wanted === undefined) await runSuite(suite, [], []);
  else for (const inner of suite.suites) if (wanted(inner.name)) await runSuite(inner, [], []);
}

async function runSuite(suite: Suite, before: readonly Body[], after: readonly Body[]): Promise<void> {
  const setUp = [...before, ...suite.beforeEach];
  const tearDown = [...suite.afterEach, ...after];
  try {
    for (const hook of suite.before) await hook();
    for (const { name, body } of suite.tests) {
      try {
        for (const hook of setUp) await hook();
        await body();
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message}`);
      } finally {
        for (const hook of tearDown) await hook();
      }
    }
    for (const inner of suite.suites) await runSuite(inner, setUp, tearDown);
  } finally {
    for (const hook of suite.after) await hook();
  }
}
