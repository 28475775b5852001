// Checks a parsed body against the route's TypeBox schema, without coercion and without removing keys.

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { MatrixError } from '../protocol/error.ts';

export type BodyCheck = (body: unknown) => void;

let ajv: Ajv | undefined;

/** The schema is compiled at its first use: a hundred routes would add their compilation to start-up. */
export function createBodyCheck(schema: TSchema): BodyCheck {
  let validate: ValidateFunction | undefined;
  return (body) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new MatrixError('M_BAD_JSON', 'The body must be a JSON object');
    }
    validate ??= compile(schema);
    if (!validate(body)) throw schemaError(validate.errors?.at(0));
  };
}

function compile(schema: TSchema): ValidateFunction {
  ajv ??= new Ajv({ coerceTypes: false, removeAdditional: false, strict: false });
  return ajv.compile(schema);
}

/** The specification calls an absent top-level key M_MISSING_PARAM, whatever else is wrong M_BAD_JSON. */
function schemaError(error: ErrorObject | undefined): MatrixError {
  if (error === undefined) return new MatrixError('M_BAD_JSON', 'The body is malformed');
  const where = error.instancePath.slice(1).replaceAll('/', '.');
  if (error.keyword === 'required' && where === '') {
    return new MatrixError(
      'M_MISSING_PARAM',
      `The key '${error.params.missingProperty}' is missing`,
    );
  }
  return new MatrixError(
    'M_BAD_JSON',
    `${where === '' ? 'The body' : `'${where}'`} ${error.message}`,
  );
}
