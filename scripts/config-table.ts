// The table of configuration keys in docs/operating.md, made from the schema. With --write the document is brought
// up to date; a test sees to it that it is.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema } from '../src/config/schema.ts';
import { root } from './source-files.ts';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly notBuilt?: boolean;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

const START = '<!-- keys: made by scripts/config-table.ts -->';
const END = '<!-- end of keys -->';

export const DOCUMENT = join(root, 'docs', 'operating.md');

export function configTable(): string {
  const rows = rowsOf(configSchema as SchemaNode, '');
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function rowsOf({ properties = {} }: SchemaNode, prefix: string): readonly string[] {
  return Object.entries(properties).flatMap(([key, node]) => {
    if (node.properties !== undefined) return rowsOf(node, `${prefix}${key}.`);
    const row = rowOf(prefix + key, node);
    return node.items === undefined ? [row] : [row, ...rowsOf(node.items, `${prefix}${key}[].`)];
  });
}

function rowOf(key: string, node: SchemaNode): string {
  const meaning = `${node.description ?? ''}${node.notBuilt === true ? ' *(not built yet)*' : ''}`;
  const cells = [`\`${key}\``, typeOf(node), defaultOf(node), meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeOf(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ');
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'integer',
    number: 'number',
    boolean: 'boolean',
    array: 'list',
    object: 'section',
  };
  return names[node.type ?? ''] ?? '';
}

/** What a list holds by default stands in its meaning, where it holds anything. */
function defaultOf(node: SchemaNode): string {
  if (node.default === undefined || Array.isArray(node.default)) return '';
  return `\`${node.default}\``;
}

/** `text` with the table in its place. */
export function withTable(text: string): string {
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOCUMENT} lacks its markers`);
  return `${before}${START}\n${configTable()}\n${END}${after}`;
}

if (process.argv.includes('--write')) {
  writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8')));
}
