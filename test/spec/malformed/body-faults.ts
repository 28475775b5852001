// What can be wrong with a route's body, by its schema.

import type { Route } from '../../../src/http/route.ts';
import { badTexts } from './bad-values.ts';
import type { MalformedRequest } from './malformed-request.ts';

export interface BodySchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, BodySchema>>;
  readonly patternProperties?: Readonly<Record<string, BodySchema>>;
  readonly required?: readonly string[];
  readonly items?: BodySchema;
  readonly anyOf?: readonly BodySchema[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly 'x-format'?: string;
}

type Body = Readonly<Record<string, unknown>>;

const NOT_JSON = ['M_NOT_JSON'];
const BAD_JSON = ['M_BAD_JSON'];

/** `body`: of the call that would succeed. */
export function bodyFaults(route: Route, body: Body): readonly MalformedRequest[] {
  if (route.body === undefined) return [];
  const schema = route.body as BodySchema;
  return [...wireFaults(route, body), ...valueFaults(body), ...schemaFaults(schema, body)];
}

/** Bytes that are no JSON object. */
function wireFaults(route: Route, body: Body): readonly MalformedRequest[] {
  const text = JSON.stringify(body);
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  const broken = [
    '{',
    '{"a":}',
    "{'a':1}",
    `${text}}`,
    `${text}x`,
    'NaN',
    '{"a":01}',
    '{"a":"\n"}',
  ];
  const noObject = ['null', '[]', '[{}]', '"text"', '1', 'true', '1e400'];
  return [
    ...broken.map((bytes) => sent(bytes, NOT_JSON)),
    ...noObject.map((bytes) => sent(bytes, BAD_JSON)),
    ...(route.bodyOptional === true ? [] : [sent('', NOT_JSON)]),
    sent(Buffer.from('{"a":"\xff"}', 'latin1'), NOT_JSON, 'text that is not UTF-8'),
    sent(Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1'), NOT_JSON, 'a surrogate in UTF-8'),
    sent(extended(text, `"deep":${deep}`), BAD_JSON, '10,000 arrays in one another'),
    sent(extended(text, `"deep":${deepObject(10_000)}`), BAD_JSON, '10,000 objects in one another'),
    sent(extended(text, `"big":"${'z'.repeat(2_000_000)}"`), ['M_TOO_LARGE'], 'two megabytes'),
  ];
}

/** Values that JSON can write and no database, or no double, can keep. */
function valueFaults(body: Body): readonly MalformedRequest[] {
  const text = JSON.stringify(body);
  const values = [
    ...['"a\\u0000b"', '"\\ud800"', '"\\udc00x"', '{"\\u0000":1}', '{"\\udfff":1}', '["\\ud83d"]'],
    ...['9007199254740993', '-9007199254740993', '1e400', '-1e400', '1e309', '9e99', '[[1e400]]'],
    '{"__proto__":{"a":1}}',
  ];
  const extra = values.map((value) =>
    sent(extended(text, `"org.example.x":${value}`), BAD_JSON, value),
  );
  return [...extra, sent(extended(text, '"a\\u0000":1'), BAD_JSON, 'NUL in a key')];
}

function extended(text: string, member: string): string {
  return text === '{}' ? `{${member}}` : `${text.slice(0, -1)},${member}}`;
}

function deepObject(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}

function sent(
  bytes: string | Uint8Array,
  errcodes: readonly string[],
  fault?: string,
): MalformedRequest {
  const name = fault ?? `body ${JSON.stringify(String(bytes)).slice(0, 60)}`;
  return { fault: name, call: { bytes }, errcodes };
}

/** Missing keys, and values of wrong types at every place that the schema speaks of. */
function schemaFaults(schema: BodySchema, body: Body): readonly MalformedRequest[] {
  const required = schema.required ?? [];
  return [
    ...required.map((key) => changed(body, [key], undefined, ['M_MISSING_PARAM'])),
    ...placesOf(schema, []).flatMap(({ path, schema: inner }) => [
      ...wrongTypes(inner).map((value) => changed(body, path, value, BAD_JSON)),
      ...badTexts(inner['x-format']).map((text) => changed(body, path, text, ['M_INVALID_PARAM'])),
    ]),
  ];
}

interface SchemaPlace {
  readonly path: readonly (string | number)[];
  readonly schema: BodySchema;
}

function placesOf(schema: BodySchema, path: readonly (string | number)[]): readonly SchemaPlace[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    placesOf(property, [...path, key]),
  );
  const ofAnyKey = Object.values(schema.patternProperties ?? {}).flatMap((property) =>
    placesOf(property, [...path, '@a:example.org']),
  );
  const items = schema.items === undefined ? [] : placesOf(schema.items, [...path, 0]);
  const own = path.length === 0 ? [] : [{ path, schema }];
  return [...own, ...inner, ...ofAnyKey, ...items];
}

const SAMPLES: readonly unknown[] = ['text', '', 1, -1, 1.5, true, false, null, [], [1], {}, [{}]];

function wrongTypes(schema: BodySchema): readonly unknown[] {
  const wrong = SAMPLES.filter((sample) => !isOf(sample, schema));
  const tooLong = schema.maxLength === undefined ? [] : ['z'.repeat(schema.maxLength + 1)];
  return [...wrong, ...tooLong];
}

function isOf(value: unknown, schema: BodySchema): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((option) => isOf(value, option));
  if (schema.const !== undefined) return value === schema.const;
  switch (schema.type) {
    case 'integer':
      return Number.isInteger(value) && isWithin(value as number, schema);
    case 'number':
      return typeof value === 'number' && isWithin(value, schema);
    case 'array':
      return Array.isArray(value) && value.every((item) => isOf(item, schema.items ?? {}));
    case 'object':
      return isObjectOf(value, schema);
    case 'null':
      return value === null;
    case undefined:
      return true;
    default:
      return typeof value === schema.type;
  }
}

function isWithin(value: number, { minimum, maximum }: BodySchema): boolean {
  return value >= (minimum ?? value) && value <= (maximum ?? value);
}

function isObjectOf(value: unknown, schema: BodySchema): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return (schema.required ?? []).every((key) => key in value);
}

function changed(
  body: Body,
  path: readonly (string | number)[],
  value: unknown,
  errcodes: readonly string[],
): MalformedRequest {
  const what = value === undefined ? 'is missing' : `is ${JSON.stringify(value).slice(0, 60)}`;
  const fault = `${path.join('.')} ${what}`;
  return { fault, call: { body: withValue(body, path, value) }, errcodes };
}

function withValue(data: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') return [withValue(undefined, rest, value)];
  const object = typeof data === 'object' && data !== null ? (data as Body) : {};
  return { ...object, [key]: withValue(object[key], rest, value) };
}
