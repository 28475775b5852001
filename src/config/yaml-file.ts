// A YAML file as plain data that still knows on which line each key stands. JSON is YAML.

import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';

/** Keys and list positions from the top. */
export type KeyPath = readonly (string | number)[];

export interface YamlFile {
  readonly data: unknown;
  /** `FILE:LINE` of the key, or of what encloses it where it is not there. */
  placeOf(path: KeyPath): string;
}

/** Throws ConfigError where the text is no YAML. */
export function parseYamlFile(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = lines.linePos(error.pos[0]).line;
    throw new ConfigError(`${file}:${line}: this is no valid YAML: ${error.message}`);
  }
  return {
    // `key:` with nothing behind it is a section left empty, as is an empty file.
    data: withoutNulls(document.toJS() ?? {}),
    placeOf: (path) => `${file}:${lines.linePos(offsetOf(document, path)).line}`,
  };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}

function offsetOf(document: Document, path: KeyPath): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range != null) return node.range[0];
  }
  return 0;
}
