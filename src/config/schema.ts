// Every key of the configuration, with type, default and meaning; docs/operating.md is checked against it.
// `notBuilt` marks what is accepted already and does nothing yet.

import type { TSchema } from 'typebox';
import { RATE_LIMIT_DEFAULTS, type RateLimit } from '../http/rate-limit-names.ts';
import { RESOURCES } from '../http/resources.ts';
import { Type } from '../json-schema.ts';
import { ROOM_VERSIONS } from '../protocol/roomversions/table.ts';

const notBuilt = { notBuilt: true };
/** Never shown in messages. */
const secret = { secret: true };

/** A section: its keys have defaults of their own, so it may be left out. */
function section<P extends Record<string, TSchema>>(properties: P, options = {}) {
  return Type.Object(properties, { additionalProperties: false, default: {}, ...options });
}

function text(description: string, options = {}) {
  return Type.String({ minLength: 1, description, ...options });
}

function flag(value: boolean, description: string, options = {}) {
  return Type.Boolean({ default: value, description, ...options });
}

function count(value: number, description: string, options = {}) {
  return Type.Integer({ minimum: 1, default: value, description, ...options });
}

function duration(value: number, description: string, options = {}) {
  return Type.Integer({ minimum: 0, default: value, description, ...options });
}

function choice<const T extends readonly string[]>(values: T, description: string, options = {}) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], description, ...options });
}

/** Of a feature to come: whatever stands below it is accepted. */
function sectionToCome(description: string) {
  return Type.Optional(
    Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', description, ...notBuilt }),
  );
}

const listener = Type.Object(
  {
    host: text('Address or name to listen on', { default: '127.0.0.1' }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, description: 'Port; 0 takes a free one' }),
    tls: flag(false, 'Speak HTTPS'),
    tls_cert_path: Type.Optional(text('PEM file with the certificate chain, for `tls: true`')),
    tls_key_path: Type.Optional(text('PEM file with the private key, for `tls: true`')),
    resources: Type.Array(choice(RESOURCES, 'A group of endpoints'), {
      default: [...RESOURCES],
      description: `Groups of endpoints to serve: ${RESOURCES.join(', ')}`,
    }),
    trust_forwarded_for: flag(
      false,
      'Take client addresses from X-Forwarded-For; only where nobody but a reverse proxy can connect',
    ),
  },
  { additionalProperties: false },
);

const oldVerifyKey = Type.Object(
  {
    key_id: text('As `ed25519:version`', { pattern: '^ed25519:[A-Za-z0-9_]+$' }),
    public_key: text('Unpadded base64', { pattern: '^[A-Za-z0-9+/]{43}$' }),
    expired_ts: Type.Integer({
      minimum: 1,
      description: 'When this server signed with it last, ms since 1970',
    }),
  },
  { additionalProperties: false },
);

const rateLimit = ({ perSecond, burst }: RateLimit, what: string) =>
  section({
    per_second: Type.Number({
      exclusiveMinimum: 0,
      default: perSecond,
      description: `${what}: a second, in the long run`,
    }),
    burst: count(burst, `${what}: at once`),
  });

const RATE_LIMIT_MEANINGS = {
  request: 'Requests of any kind',
  login: 'Attempts to sign in',
  registration: 'New accounts',
  message: 'Events sent into rooms',
  roomCreation: 'Rooms created',
  membership: 'Joins, invites, kicks and the like',
  peek: 'Peeks started',
  media: 'Uploads, and downloads by who is not signed in',
  lookup: 'Searches of directories and profiles',
  federationAddress: 'Requests of other servers, by address',
  federationAddressWork: 'Work that requests of other servers make, by address, ms',
  federationWork: 'Work that requests of one other server make, ms',
  federation: 'Requests of one other server',
  federationTransaction: 'Transactions of one other server',
  federationHandshake: 'Joins, invites and the like of one other server',
  federationState: 'Whole states that one other server asks for',
} as const satisfies Record<keyof typeof RATE_LIMIT_DEFAULTS, string>;

const limitOf = (name: keyof typeof RATE_LIMIT_DEFAULTS) =>
  rateLimit(RATE_LIMIT_DEFAULTS[name], RATE_LIMIT_MEANINGS[name]);

/** What other servers could make us reach on our own network. */
const PRIVATE_NETWORKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '100::/64',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

export const configSchema = section({
  server_name: Type.Optional(
    text('Name in user IDs and room IDs; can never be changed. Required outside a local trial'),
  ),
  public_baseurl: Type.Optional(
    text('Where clients reach this server', {
      pattern: '^https?://[^\\s/]+(/.*)?$',
      wants: 'an address such as https://matrix.example.org',
    }),
  ),
  federation_address: Type.Optional(
    text(
      'Name and port where other servers reach this one, as /.well-known/matrix/server tells them; default: those of an https public_baseurl',
    ),
  ),
  policy_server_public_key: Type.Optional(
    text(
      "Ed25519 key of a policy server that runs under this server's name, as /.well-known/matrix/policy_server tells it",
      { pattern: '^[A-Za-z0-9+/_-]{43}$', wants: 'the 43 characters of an Ed25519 key in base64' },
    ),
  ),
  signing_key_path: text("The server's signing key; made when missing", {
    default: './data/signing.key',
  }),
  old_verify_keys: Type.Array(oldVerifyKey, {
    default: [],
    description: 'Keys that this server has signed with and does no more',
  }),
  media_path: text('Folder of uploaded and fetched media', { default: './data/media' }),
  log_level: choice(['debug', 'info', 'warn', 'error', 'silent'], 'What is logged', {
    default: 'info',
  }),
  default_room_version: choice(ROOM_VERSIONS, 'Version of new rooms', { default: '12' }),
  listeners: Type.Array(listener, {
    minItems: 1,
    default: [{ host: '127.0.0.1', port: 8008 }],
    description: 'Addresses to listen on; default: http://127.0.0.1:8008',
  }),
  database: section({
    engine: choice(['sqlite', 'postgres'], 'Which database', { default: 'sqlite' }),
    path: text('SQLite: the file', { default: './data/keyhole.db' }),
    url: Type.Optional(
      text('PostgreSQL: postgres://USER:PASSWORD@HOST:PORT/NAME', {
        pattern: '^postgres(ql)?://',
        wants: 'postgres://USER:PASSWORD@HOST:PORT/NAME',
        ...secret,
      }),
    ),
    pool_size: count(10, 'PostgreSQL: connections', { minimum: 2 }),
  }),
  registration: section({
    enabled: flag(false, 'Anybody may make an account'),
    allow_guests: flag(false, 'Anybody may have a guest account'),
    shared_secret: Type.Optional(
      text(
        'Who knows it may make accounts, administrators too, by /_synapse/admin/v1/register',
        secret,
      ),
    ),
  }),
  outbound: section({
    trusted_ca_path: Type.Optional(
      text('PEM file of authorities to trust besides those of the system when connecting out'),
    ),
    denied_networks: Type.Array(text('CIDR'), {
      default: PRIVATE_NETWORKS,
      description:
        'Networks that are never connected to, whatever name leads there; default: loopback, private and reserved ones',
    }),
  }),
  appservice_registration_files: Type.Array(text('A registration file'), {
    default: [],
    description: 'Registrations of application services',
    ...notBuilt,
  }),
  rate_limits: section({
    enabled: flag(true, 'Limit what one user or address may do'),
    request: limitOf('request'),
    login: limitOf('login'),
    registration: limitOf('registration'),
    message: limitOf('message'),
    room_creation: limitOf('roomCreation'),
    membership: limitOf('membership'),
    peek: limitOf('peek'),
    media: limitOf('media'),
    lookup: limitOf('lookup'),
    federation_address: limitOf('federationAddress'),
    federation_address_work: limitOf('federationAddressWork'),
    federation_work: limitOf('federationWork'),
    federation: limitOf('federation'),
    federation_transaction: limitOf('federationTransaction'),
    federation_handshake: limitOf('federationHandshake'),
    federation_state: limitOf('federationState'),
  }),
  password_hash: section({
    fast_for_tests: flag(false, 'Hash next to not at all; never with real users'),
    memory_kib: count(19_456, 'argon2id: memory of one hash, KiB', { minimum: 64 }),
    passes: count(2, 'argon2id: passes'),
    parallelism: count(1, 'argon2id: lanes', { maximum: 16 }),
    concurrency: count(2, 'Hashes computed at once'),
  }),
  limits: section({
    max_upload_bytes: count(52_428_800, 'Largest upload, bytes'),
    min_password_length: count(8, 'Shortest password, characters'),
    access_token_lifetime_ms: count(3_600_000, 'Of sessions that can refresh theirs, ms'),
    max_connections: count(10_000, 'Connections at once, of each listener'),
    shutdown_grace_ms: duration(10_000, 'How long requests in flight may take to finish, ms'),
    log_retention_ms: duration(
      604_800_000,
      'How long event log entries are kept once consumed, ms',
    ),
  }),
  media: section({
    allow_unauthenticated: flag(
      false,
      'Serve new media to clients that do not sign in, too (the old download endpoints)',
    ),
    max_remote_bytes: count(
      10_737_418_240,
      'Media of other servers that is kept, bytes; beyond it, what was fetched first is dropped',
    ),
  }),
  room_directory: section({
    anyone_may_publish: flag(
      true,
      'Any member may publish a room; else only administrators',
      notBuilt,
    ),
    public_without_auth: flag(false, 'The list of public rooms is open to anybody'),
    public_over_federation: flag(false, 'The list is open to other servers'),
  }),
  peeking: section({
    lifetime_ms: count(3_600_000, "Life of a device's peek after POST /peek, ms"),
    grace_ms: count(900_000, 'A device that has not synced for this long is not looking, ms'),
    max_per_user: count(200, 'Peeks of one user'),
    max_per_room: count(10_000, 'Peeks of one room'),
    renewal_interval_ms: count(3_600_000, 'Granted to peeking servers, ms'),
    max_inbound_per_server: count(1000, 'Rooms that one server may peek into'),
    max_inbound_per_room: count(2000, 'Servers that may peek into one room'),
    redundancy: count(1, 'Resident servers to be subscribed to at once', notBuilt),
    compat_fields: choice(['auto', 'always', 'never'], 'Answer in older dialects, too', {
      default: 'auto',
    }),
  }),
  url_preview: sectionToCome('Previews of links'),
  email: sectionToCome('The SMTP server for mail'),
  cas: sectionToCome('Signing in by CAS'),
  recaptcha: sectionToCome('Captchas at registration'),
});
