// Checks configuration data against the schema, fills in defaults, and says in one line what is wrong.

import { Ajv, type ErrorObject } from 'ajv';
import type { Static } from 'typebox';
import { configSchema } from './schema.ts';
import type { KeyPath } from './yaml-file.ts';

export type ConfigData = Static<typeof configSchema>;

export interface Fault {
  readonly path: KeyPath;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** `data` is filled in place. */
export function validate(data: unknown): { readonly data: ConfigData } | { readonly fault: Fault } {
  const ajv = new Ajv({
    useDefaults: true,
    strict: false,
    verbose: true,
    // It is used once: neither is the schema checked against that of schemas, nor is what checks made faster.
    validateSchema: false,
    code: { optimize: false },
  });
  const check = ajv.compile<ConfigData>(configSchema);
  if (check(data)) return { data };
  return { fault: faultOf(check.errors?.[0]) };
}

function faultOf(error: ErrorObject | undefined): Fault {
  if (error === undefined) return { path: [], message: 'is not valid' };
  const path = pathOf(error.instancePath);
  if (error.keyword === 'additionalProperties') {
    const { additionalProperty } = error.params;
    const known = Object.keys(error.parentSchema?.properties ?? {});
    return { path: [...path, additionalProperty], message: unknownKey(additionalProperty, known) };
  }
  if (error.keyword === 'required') {
    return { path: [...path, error.params.missingProperty], message: 'is missing: add it' };
  }
  const actual = error.parentSchema?.secret === true ? 'not right' : shown(error.data);
  return { path, message: `is ${actual}, but wants ${wanted(error)}` };
}

function pathOf(pointer: string): KeyPath {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part));
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = known.find((one) => distance(one, key) <= 2);
  const remedy = near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near}'?`;
  return `is no known key: ${remedy}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'a section';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text (in quotes, if it looks like a number)',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section of keys',
};

function wanted({ keyword, params, schema, parentSchema }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return TYPES[params.type] ?? params.type;
    case 'enum':
      return `one of ${params.allowedValues.join(', ')}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return `a number ${params.comparison} ${params.limit}`;
    case 'minItems':
      return 'at least one entry';
    case 'minLength':
      return 'some text';
    case 'pattern':
      return String(parentSchema?.wants ?? schema);
    default:
      return keyword;
  }
}

/** How many letters differ (Levenshtein). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
