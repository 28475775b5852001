// Path and query parameters: how each is read from its text, and what its value is. Nonsense is
// M_INVALID_PARAM, a required query parameter that is absent M_MISSING_PARAM.

import type { TSchema } from 'typebox';
import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';

export interface Parameter<T> {
  /** Of the text, for documentation and for generated tests. */
  readonly schema: TSchema;
  /** Takes every occurrence (at least one unless `whenAbsent` is there). Throws MatrixError. */
  read(name: string, occurrences: readonly string[]): T;
  /** The value where the parameter is absent; a parameter without this is required. */
  readonly whenAbsent?: () => T;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type ParameterValues<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer T> ? T : never;
};

export function invalidParameter(name: string, reason: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', `'${name}' ${reason}`);
}

/** A parameter given at most once, turned into a value by `parse`, which throws or returns undefined on nonsense. */
export function parsed<T>(parse: (raw: string) => T | undefined, schema: TSchema): Parameter<T> {
  return {
    schema,
    read(name, occurrences) {
      const raw = occurrences[0] ?? '';
      if (occurrences.length > 1) throw invalidParameter(name, 'was given more than once');
      if (raw.includes('\0')) throw invalidParameter(name, 'contains a NUL character');
      const value = parse(raw);
      if (value === undefined) throw invalidParameter(name, 'has an invalid value');
      return value;
    },
  };
}

export function text(): Parameter<string> {
  return parsed((raw) => raw, Type.String());
}

export function integer(bounds: { minimum?: number; maximum?: number } = {}): Parameter<number> {
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = bounds;
  return parsed((raw) => {
    const value = /^-?[0-9]{1,16}$/.test(raw) ? Number(raw) : Number.NaN;
    return value >= minimum && value <= maximum ? value : undefined;
  }, Type.Integer({ minimum, maximum }));
}

export function boolean(): Parameter<boolean> {
  return parsed(
    (raw) => (raw === 'true' ? true : raw === 'false' ? false : undefined),
    Type.Boolean(),
  );
}

export function oneOf<const Options extends readonly string[]>(
  ...options: Options
): Parameter<Options[number]> {
  return parsed(
    (raw) => options.find((option) => option === raw),
    Type.Union(options.map((option) => Type.Literal(option))),
  );
}

/** A parameter that may be repeated, such as `via`: absent is the empty list. */
export function repeated<T>(item: Parameter<T>): Parameter<readonly T[]> {
  return {
    schema: Type.Array(item.schema),
    read: (name, occurrences) => occurrences.map((raw) => item.read(name, [raw])),
    whenAbsent: () => [],
  };
}

export function optional<T>(parameter: Parameter<T>): Parameter<T | undefined> {
  return { ...parameter, whenAbsent: () => undefined };
}

export function withDefault<T>(parameter: Parameter<T>, value: T): Parameter<T> {
  return { ...parameter, whenAbsent: () => value };
}

/** `occurrencesOf` gives the texts of a name, undefined where there is none. */
export function readParameters(
  parameters: Parameters,
  occurrencesOf: (name: string) => readonly string[] | undefined,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const name in parameters) {
    const parameter = parameters[name] as Parameter<unknown>;
    const occurrences = occurrencesOf(name);
    if (occurrences !== undefined) values[name] = parameter.read(name, occurrences);
    else if (parameter.whenAbsent !== undefined) values[name] = parameter.whenAbsent();
    else throw new MatrixError('M_MISSING_PARAM', `The parameter '${name}' is missing`);
  }
  return values;
}
