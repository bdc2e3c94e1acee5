/** A tree of rules whose paths are names: what is written once for a layer holds for each of them. */

/** What a leaf says at least: `when` it is there, always if absent. */
export interface KeyRule<Config> {
  readonly shape: readonly unknown[];
  readonly when?: (config: Config) => boolean;
}

/** Branches by their segment of the path. Lists stand for an array of modules: "layers.0", "layers.1", … */
export interface KeyTree<Rule, Config> {
  readonly [segment: string]: Rule | Repeated<Rule, Config> | KeyTree<Rule, Config>;
}

class Repeated<Rule, Config> {
  readonly count: (config: Config) => number;
  readonly layer: KeyTree<Rule, Config>;

  constructor(count: (config: Config) => number, layer: KeyTree<Rule, Config>) {
    this.count = count;
    this.layer = layer;
  }
}

/** An array of modules that are all alike. */
export function repeated<Rule, Config>(
  count: (config: Config) => number,
  layer: KeyTree<Rule, Config>,
): Repeated<Rule, Config> {
  return new Repeated(count, layer);
}

export interface Leaf<Rule> {
  readonly name: string;
  /** Path of the layer it repeats in, '' outside of any. */
  readonly parent: string;
  readonly rule: Rule;
}

/** Every rule that holds for a config, depth first, in the order of the text. */
export function* walk<Rule extends KeyRule<Config>, Config>(
  tree: KeyTree<Rule, Config>,
  config: Config,
  path = '',
  parent = '',
): Iterable<Leaf<Rule>> {
  const isRule = (node: Rule | KeyTree<Rule, Config>): node is Rule => Array.isArray(node.shape);
  for (const [segment, node] of Object.entries(tree)) {
    const name = path === '' ? segment : `${path}.${segment}`;
    if (node instanceof Repeated) {
      const count = node.count(config);
      for (let n = 0; n < count; n++) yield* walk(node.layer, config, `${name}.${n}`, `${name}.${n}`);
    } else if (!isRule(node)) {
      yield* walk(node, config, name, parent);
    } else if (node.when?.(config) ?? true) {
      yield { name, parent, rule: node };
    }
  }
}
