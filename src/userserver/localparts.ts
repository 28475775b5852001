// Which user names can be had.

import { randomInt } from 'node:crypto';
import { MatrixError } from '../protocol/error.ts';
import { checkNewLocalpart, type ServerName, type UserId } from '../protocol/identifiers.ts';

/**
 * The user ID for a name that somebody asks for. Only A to Z are put in lower case: other letters are refused,
 * although some of them (the Kelvin sign) have a lower case within the grammar. Throws M_INVALID_USERNAME.
 */
export function userIdFor(name: string, serverName: ServerName): UserId {
  const localpart = name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (/^[0-9]+$/.test(localpart)) {
    const message = 'User names of digits only are given to guests by the server';
    throw new MatrixError('M_INVALID_USERNAME', message);
  }
  return checkNewLocalpart(localpart, serverName);
}

/** For guests, and for users that ask for no name. Random, so that it does not tell how many there are. */
export function generatedUserId(serverName: ServerName): UserId {
  return checkNewLocalpart(String(randomInt(1e11, 1e12)), serverName);
}
