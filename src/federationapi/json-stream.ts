// Answers with many events as a stream of JSON text: neither is all of the text held at once, nor does writing it keep
// others from being served.

import { Readable } from 'node:stream';
import { type Reply, reply } from '../http/reply.ts';

const CHUNK = 100;

type Field = object | string | number | boolean | null;
type Fields = Readonly<Record<string, Field>>;

/** Arrays in the fields are written in chunks; `[200, fields]` is the form of the old endpoints. */
export function jsonStream(answer: Fields | readonly [number, Fields]): Reply {
  return reply({
    headers: { 'content-type': 'application/json' },
    body: Readable.from(textOf(answer), { objectMode: false, highWaterMark: 1 }),
  });
}

function* textOf(answer: Fields | readonly [number, Fields]): Generator<string> {
  if (!isOldForm(answer)) {
    yield* textOfFields(answer);
    return;
  }
  const [status, fields] = answer;
  yield `[${status},`;
  yield* textOfFields(fields);
  yield ']';
}

function isOldForm(
  answer: Fields | readonly [number, Fields],
): answer is readonly [number, Fields] {
  return Array.isArray(answer);
}

function* textOfFields(fields: Fields): Generator<string> {
  let separator = '{';
  for (const [name, value] of Object.entries(fields)) {
    yield `${separator}${JSON.stringify(name)}:`;
    separator = ',';
    if (Array.isArray(value)) yield* textOfArray(value);
    else yield JSON.stringify(value);
  }
  yield '}';
}

function* textOfArray(values: readonly unknown[]): Generator<string> {
  yield '[';
  for (let start = 0; start < values.length; start += CHUNK) {
    const chunk = JSON.stringify(values.slice(start, start + CHUNK)).slice(1, -1);
    yield start === 0 ? chunk : `,${chunk}`;
  }
  yield ']';
}
