// KEYHOLE_<PATH> overrides a key of the file: `KEYHOLE_DATABASE__URL`, `KEYHOLE_LISTENERS__0__PORT`.

import type { TSchema } from 'typebox';
import { parse as parseYaml } from 'yaml';
import type { KeyPath } from './yaml-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override {
  readonly variable: string;
  readonly path: KeyPath;
  readonly value: unknown;
}

const PREFIX = 'KEYHOLE_';
/** What tools and tests around the server read. */
const FOREIGN = /^KEYHOLE_(TEST_.*|MATRIX_SPEC|BIN|POSTGRES_URL)$/;

export interface Overrides {
  readonly overrides: readonly Override[];
  /** Variables that name no key: ignored, for other programs may own them. */
  readonly unknown: readonly string[];
}

export function readOverrides(environment: Environment, schema: TSchema): Overrides {
  const overrides: Override[] = [];
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || !variable.startsWith(PREFIX) || FOREIGN.test(variable)) continue;
    const path = pathOf(variable);
    if (childOf(schema, path[0] as string) === undefined) unknown.push(variable);
    else overrides.push({ variable, path, value: readValue(text, schemaAt(schema, path)) });
  }
  return { overrides, unknown };
}

function pathOf(variable: string): KeyPath {
  return variable
    .slice(PREFIX.length)
    .toLowerCase()
    .split('__')
    .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part));
}

type SchemaNode = {
  readonly type?: unknown;
  readonly properties?: object;
  readonly items?: object;
};

function childOf(schema: object, key: string | number): object | undefined {
  const { properties, items } = schema as SchemaNode;
  if (typeof key === 'number') return items;
  return properties === undefined ? undefined : (properties as Record<string, object>)[key];
}

function schemaAt(schema: object, path: KeyPath): object | undefined {
  return path.reduce<object | undefined>((node, key) => node && childOf(node, key), schema);
}

/** Text where text is wanted, else what the same letters mean in YAML. */
function readValue(text: string, schema: object | undefined): unknown {
  if ((schema as SchemaNode | undefined)?.type === 'string') return text;
  try {
    return parseYaml(text);
  } catch {
    // Not of the wanted type either way: validation names the variable.
    return text;
  }
}

/** Sets the overrides in `data`, making sections and list entries on the way. */
export function applyOverrides(data: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((result, { path, value }) => withValue(result, path, value), data);
}

function withValue(data: unknown, path: KeyPath, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const items = Array.isArray(data) ? [...data] : [];
    items[key] = withValue(items[key], rest, value);
    return items;
  }
  const object = typeof data === 'object' && data !== null ? data : {};
  return { ...object, [key]: withValue((object as Record<string, unknown>)[key], rest, value) };
}
