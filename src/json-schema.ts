// Builds JSON schemas, typed as TypeBox types them. Of TypeBox itself only the types are used: its code takes 20 MB of memory
// and a tenth of a second at start, and a dozen functions are all that is needed of it.

import type { Type as TypeBox } from 'typebox';

/** Marks what an object may lack; not seen where the schema is compiled. */
const OPTIONAL = Symbol('optional');

type Schema = Readonly<Record<string | symbol, unknown>>;

const ofType = (type: string) => (options?: Schema) => ({ type, ...options });

const builders = {
  Array: (items: Schema, options?: Schema) => ({ type: 'array', items, ...options }),
  Boolean: ofType('boolean'),
  Integer: ofType('integer'),
  Literal: (value: unknown, options?: Schema) => ({
    type: typeof value,
    const: value,
    ...options,
  }),
  Null: ofType('null'),
  Number: ofType('number'),
  Object: (properties: Readonly<Record<string, Schema>>, options?: Schema) => {
    const required = Object.keys(properties).filter((key) => properties[key]?.[OPTIONAL] !== true);
    return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
  },
  Optional: (schema: Schema) => ({ ...schema, [OPTIONAL]: true }),
  /** With keys of any text. */
  Record: (_key: Schema, value: Schema, options?: Schema) => ({
    type: 'object',
    additionalProperties: value,
    ...options,
  }),
  String: ofType('string'),
  Union: (schemas: readonly Schema[], options?: Schema) => ({ anyOf: schemas, ...options }),
  Unsafe: (schema: Schema) => schema,
};

export const Type = builders as unknown as Pick<typeof TypeBox, keyof typeof builders>;
