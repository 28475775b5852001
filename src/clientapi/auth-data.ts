// `auth` of request bodies (Client-Server API, "User-interactive API in the REST API").

import type { Static } from 'typebox';
import { Type } from '../json-schema.ts';
import { identifierProperties } from './login-identifier.ts';

export const authData = Type.Optional(
  Type.Object({
    type: Type.Optional(Type.String()),
    session: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    ...identifierProperties,
  }),
);

export type AuthData = NonNullable<Static<typeof authData>>;
