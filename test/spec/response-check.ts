// Checks answers against the response schemas of the specification.

import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  isEventId,
  isRoomAlias,
  isRoomId,
  isServerName,
  isUserId,
  parseMxcUri,
} from '../../src/protocol/identifiers.ts';
import type { Operation } from './specification.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
ajv.addFormat('mx-user-id', isUserId);
ajv.addFormat('mx-room-id', isRoomId);
ajv.addFormat('mx-event-id', isEventId);
ajv.addFormat('mx-room-alias', isRoomAlias);
ajv.addFormat('mx-server-name', isServerName);
ajv.addFormat('mx-mxc-uri', (text) => parseMxcUri(text) !== undefined);
ajv.addFormat('uri', (text) => URL.canParse(text));
ajv.addFormat('int64', true);

const standardError = {
  type: 'object',
  required: ['errcode', 'error'],
  properties: { errcode: { type: 'string', pattern: '^M_[A-Z_]+$' }, error: { type: 'string' } },
};

const validators = new Map<object, ValidateFunction>();

/** What is wrong with the answer, as text; undefined when nothing is. */
export function faultOf(
  operation: Operation,
  answer: { readonly status: number; readonly body: unknown },
): string | undefined {
  const { responses } = operation;
  const schema = responses.get(answer.status);
  // Every endpoint may answer a standard error; some do not list it, or only in words.
  if (schema === undefined && answer.status >= 400) return validate(standardError, answer.body);
  if (!responses.has(answer.status)) return `the status ${answer.status} is not specified`;
  return schema === undefined ? undefined : validate(schema, answer.body);
}

function validate(schema: object, body: unknown): string | undefined {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = ajv.compile(schema);
    validators.set(schema, validator);
  }
  return validator(body) ? undefined : ajv.errorsText(validator.errors, { dataVar: 'body' });
}
