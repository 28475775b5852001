// Matrix identifiers (appendices, "Identifier Grammar"), parsed once and branded.
// Nothing outside this file takes an identifier apart.

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

export type ServerName = Brand<'ServerName'>;
export type UserId = Brand<'UserId'>;
/** `!opaque:server` (room versions 1 to 11) or `!reference-hash` (12). */
export type RoomId = Brand<'RoomId'>;
export type RoomAlias = Brand<'RoomAlias'>;
/** `$opaque:server` (room versions 1 and 2) or `$reference-hash`. */
export type EventId = Brand<'EventId'>;
export type DeviceId = Brand<'DeviceId'>;
/** Content of an `mxc://server/media` URI, taken apart by `parseMxcUri`. */
export type MediaId = Brand<'MediaId'>;

/** Longest identifier with its sigil and server name, in UTF-8 bytes. */
export const MAX_IDENTIFIER_BYTES = 255;
