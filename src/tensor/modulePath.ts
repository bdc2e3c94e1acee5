/** Which module's forward is running, for messages and taps. Modules push their name in their parent. */
const names: string[] = [];

/** "model.layers.3.self_attn", or '' outside of any module. */
export function currentModulePath(): string {
  return names.filter((name) => name !== '').join('.');
}

/** Runs `fn` as part of the module `name`. */
export function insideModule<R>(name: string, fn: () => R): R {
  names.push(name);
  try {
    return fn();
  } finally {
    names.pop();
  }
}
