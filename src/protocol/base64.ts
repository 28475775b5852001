// Unpadded base64 (appendices, "Unpadded Base64"). Padding is tolerated when reading.

const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/;

export function encodeBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return withoutPadding(text);
}

export function withoutPadding(base64: string): string {
  if (!base64.endsWith('=')) return base64;
  return base64.slice(0, base64.endsWith('==') ? -2 : -1);
}

/** The bytes of standard base64, or undefined when the text is none. */
export function decodeBase64(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string' || !STANDARD.test(text)) return undefined;
  const digits = withoutPadding(text);
  return digits.length % 4 === 1 ? undefined : Buffer.from(digits, 'base64');
}
