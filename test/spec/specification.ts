// The specification's OpenAPI, where it is to be had: its operations, and schemas that refer to each other
// across files, made into schemas that stand alone.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

type Node = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly operationId: string;
  readonly method: string;
  /** Whole, with `{names}`. */
  readonly path: string;
  /** By status: the JSON schema of the body, undefined where the body is no JSON. */
  readonly responses: ReadonlyMap<number, object | undefined>;
}

/** KEYHOLE_MATRIX_SPEC, or the folder beside the project; undefined where there is none. */
export function findSpecification(): string | undefined {
  const beside = fileURLToPath(new URL('../../../shared/matrix-spec', import.meta.url));
  const folder = process.env.KEYHOLE_MATRIX_SPEC ?? beside;
  return existsSync(join(folder, 'api', 'client-server')) ? folder : undefined;
}

export type Api = 'client-server' | 'server-server';

/** All operations of an API. */
export function loadOperations(folder: string, name: Api = 'client-server'): readonly Operation[] {
  const api = join(folder, 'api', name);
  const files = readdirSync(api).filter((name) => name.endsWith('.yaml'));
  return files.flatMap((name) => operationsOf(join(api, name)));
}

const documents = new Map<string, unknown>();

function load(file: string): unknown {
  const known = documents.get(file);
  if (known !== undefined) return known;
  const document: unknown = parse(readFileSync(file, 'utf8'));
  documents.set(file, document);
  return document;
}

function operationsOf(file: string): readonly Operation[] {
  const document = load(file) as { servers?: readonly Node[]; paths?: Record<string, Node> };
  const base = at(document, ['servers', '0', 'variables', 'basePath', 'default']) ?? '';
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const { operationId, responses } = operation as Node;
      if (typeof operationId !== 'string') return [];
      return {
        operationId,
        method: method.toUpperCase(),
        // One path is told from another by a space at its end.
        path: `${base}${path}`.trim(),
        responses: responsesOf(responses as Node, file),
      };
    }),
  );
}

function responsesOf(responses: Node, file: string): ReadonlyMap<number, object | undefined> {
  const entries = Object.entries(responses).map(([status, response]) => {
    const target = follow({ node: response, file });
    const schema = at(target.node, ['content', 'application/json', 'schema']);
    const standing = schema === undefined ? undefined : standAlone(schema, target.file);
    return [Number(status), standing] as const;
  });
  return new Map(entries);
}

interface Place {
  readonly node: unknown;
  readonly file: string;
}

/** Where a `$ref` leads; anything else stays where it is. */
function follow({ node, file }: Place): Place {
  const reference = (node as Node | undefined)?.$ref;
  if (typeof reference !== 'string') return { node, file };
  const [path = '', pointer = ''] = reference.split('#');
  const target = path === '' ? file : resolve(dirname(file), path);
  const steps = pointer.split('/').slice(1).map(unescapePointer);
  return follow({ node: at(load(target), steps), file: target });
}

function unescapePointer(step: string): string {
  return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
}

function at(node: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((inner, step) => (inner as Node | undefined)?.[step], node);
}

/** Every schema referred to becomes one of `$defs`, once, so that schemas may refer to themselves. */
function standAlone(schema: unknown, file: string): object {
  const $defs: Record<string, unknown> = {};
  const names = new Map<unknown, string>();
  const define = (place: Place): string => {
    const target = follow(place);
    const known = names.get(target.node);
    if (known !== undefined) return known;
    const name = `d${names.size}`;
    names.set(target.node, name);
    $defs[name] = convert(target.node, target.file, define);
    return name;
  };
  return { ...(convert(schema, file, define) as object), $defs };
}

/** Annotations, which hold no schemas; `example` may even refer to files. */
const ANNOTATIONS = new Set(['example', 'examples', 'description', 'title', 'deprecated']);

function convert(node: unknown, file: string, define: (place: Place) => string): unknown {
  if (Array.isArray(node)) return node.map((item) => convert(item, file, define));
  if (typeof node !== 'object' || node === null) return node;
  const converted: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === '$ref') converted.$ref = `#/$defs/${define({ node: { $ref: value }, file })}`;
    // The alternatives are meant as such, but some of them overlap: `object`, or a certain object.
    else if (key === 'oneOf') converted.anyOf = convert(value, file, define);
    else if (!isAnnotation(key, value)) converted[key] = convert(value, file, define);
  }
  return converted;
}

/** A property may bear the name of an annotation; then a schema stands there. */
function isAnnotation(key: string, value: unknown): boolean {
  if (key.startsWith('x-')) return true;
  if (!ANNOTATIONS.has(key)) return false;
  const isSchema =
    typeof value === 'object' && value !== null && ('type' in value || '$ref' in value);
  return !isSchema || key.startsWith('example');
}
