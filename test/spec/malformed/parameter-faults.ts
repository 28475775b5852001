// What can be wrong with a route's path and query, by the schemas of its parameters.

import type { Parameter, Parameters } from '../../../src/http/parameters.ts';
import type { Route } from '../../../src/http/route.ts';
import { BAD_BOOLEANS, BAD_INTEGERS, badTexts, UNDECODABLE } from './bad-values.ts';
import type { MalformedRequest } from './malformed-request.ts';

interface ParameterSchema {
  readonly type?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maxLength?: number;
  readonly anyOf?: readonly object[];
  readonly items?: ParameterSchema;
}

const INVALID = ['M_INVALID_PARAM'];

export function pathFaults(route: Route, given: readonly string[]): readonly MalformedRequest[] {
  return given.flatMap((name) => {
    const parameter = route.params?.[name];
    if (parameter === undefined) return [];
    const bad = badTextsOf(schemaOf(parameter)).filter((text) => text !== '');
    return [
      ...bad.map((text) => inPath(name, encodeURIComponent(text), INVALID)),
      ...UNDECODABLE.map((text) => inPath(name, text, INVALID)),
      inPath(name, 'a%00b', INVALID),
      // An empty segment belongs to another path, if to any.
      inPath(name, '', undefined),
      inPath(name, '%F0%9F%92%A5'.repeat(2000), undefined),
    ];
  });
}

export function queryFaults(route: Route): readonly MalformedRequest[] {
  const parameters: Parameters = route.query ?? {};
  const names = Object.keys(parameters);
  const undecodable = names.length === 0 ? undefined : INVALID;
  return [
    ...Object.entries(parameters).flatMap(([name, parameter]) => faultsOf(name, parameter)),
    ...UNDECODABLE.map((text) => ({
      fault: `?x=${text}`,
      call: {},
      rawQuery: `x=${text}`,
      ...(undecodable && { errcodes: undecodable }),
    })),
  ];
}

function faultsOf(name: string, parameter: Parameter<unknown>): readonly MalformedRequest[] {
  const schema = schemaOf(parameter);
  const isList = schema.type === 'array';
  const bad = badTextsOf(isList ? (schema.items ?? {}) : schema);
  const twice = { fault: `?${name} twice`, call: { query: { [name]: ['a', 'b'] } } };
  return [
    ...bad.map((text) => inQuery(name, text)),
    inQuery(name, 'a\0b'),
    ...(isList ? [] : [{ ...twice, errcodes: INVALID }]),
    { fault: `?${name} is huge`, call: { query: { [name]: 'y'.repeat(8000) } } },
  ];
}

function inPath(
  name: string,
  text: string,
  errcodes: readonly string[] | undefined,
): MalformedRequest {
  const fault = `:${name} is ${text.slice(0, 60)}`;
  return { fault, call: {}, rawParams: { [name]: text }, ...(errcodes && { errcodes }) };
}

function inQuery(name: string, text: string): MalformedRequest {
  const fault = `?${name} is ${JSON.stringify(text).slice(0, 60)}`;
  return { fault, call: { query: { [name]: text } }, errcodes: INVALID };
}

function schemaOf(parameter: Parameter<unknown>): ParameterSchema {
  return parameter.schema as ParameterSchema;
}

function badTextsOf(schema: ParameterSchema): readonly string[] {
  if (schema.type === 'integer') {
    return schema.minimum === undefined || schema.minimum < 0
      ? BAD_INTEGERS
      : [...BAD_INTEGERS, '-1', '-9007199254740991'];
  }
  if (schema.type === 'boolean') return BAD_BOOLEANS;
  if (schema.anyOf !== undefined) return ['none such', 'NONE', 'a,b', '💥'];
  const tooLong = schema.maxLength === undefined ? [] : ['z'.repeat(schema.maxLength + 1)];
  return [...badTexts(schema.format), ...tooLong];
}
