// What headers say of a file: its type and its name. Text of another server, which goes into headers of ours.

export interface FileDescription {
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
}

const LONGEST_TYPE = 255;
const LONGEST_NAME = 1024;
const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}(?:\\s*;[\\x20-\\x7e]*)?$`);

/** Undefined what is absent or nonsense. */
export function describedFile(header: (name: string) => string | undefined): FileDescription {
  const contentType = header('content-type');
  const isType =
    contentType !== undefined && contentType.length <= LONGEST_TYPE && MEDIA_TYPE.test(contentType);
  return {
    contentType: isType ? contentType : undefined,
    fileName: fileNameIn(header('content-disposition')),
  };
}

/** RFC 2046, section 5.1.1. Undefined where the type is another, or without a valid boundary. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/mixed\s*;/i.test(contentType)) return undefined;
  const boundary = parametersOf(contentType).get('boundary');
  return boundary !== undefined && /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)
    ? boundary
    : undefined;
}

/** RFC 6266: the name that is exact (`filename*`) comes before the other. */
function fileNameIn(disposition: string | undefined): string | undefined {
  if (disposition === undefined) return undefined;
  const parameters = parametersOf(disposition);
  const name = extendedValue(parameters.get('filename*')) ?? parameters.get('filename') ?? '';
  const usable = name.toWellFormed().replaceAll('\0', '');
  return usable === '' || usable.length > LONGEST_NAME ? undefined : usable;
}

/** What follows the semicolons; names in lower case, the first of each counts. */
function parametersOf(header: string): ReadonlyMap<string, string> {
  const pattern = new RegExp(`;\\s*(${TOKEN})\\s*=\\s*(${QUOTED}|[^;\\s"]+)`, 'g');
  const found = new Map<string, string>();
  for (const [, name = '', value = ''] of header.matchAll(pattern)) {
    const text = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), text);
  }
  return found;
}

/** RFC 5987, `ext-value`, of UTF-8. */
function extendedValue(value: string | undefined): string | undefined {
  const [, encoded] = /^utf-8'[^']*'(.*)$/i.exec(value ?? '') ?? [];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // Not UTF-8: there may be the other name.
    return undefined;
  }
}
