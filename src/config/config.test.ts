import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig, parseConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import type { Environment } from './environment.ts';

const parse = (text: string, environment: Environment = {}) =>
  parseConfig(text, 'keyhole.yaml', environment);

test('a server name is enough, everything else has a default', () => {
  const { config, warnings } = parse('server_name: example.org');
  assert.deepEqual(warnings, []);
  assert.equal(config.serverName, 'example.org');
  assert.equal(config.publicBaseurl, 'https://example.org');
  assert.equal(config.defaultRoomVersion, '12');
  assert.deepEqual(config.database, { engine: 'sqlite', path: './data/keyhole.db' });
  assert.equal(config.signingKeyPath, './data/signing.key');
  assert.equal(config.mediaPath, './data/media');
  assert.deepEqual(
    config.listeners.map(({ host, port, tls }) => ({ host, port, tls })),
    [{ host: '127.0.0.1', port: 8008, tls: undefined }],
  );
  assert.equal(config.registration.enabled, false);
  assert.equal(config.rateLimits.enabled, true);
  assert.equal(config.rateLimits.roomCreation.perSecond, 0.5);
  assert.equal(config.passwordHash.fastForTests, false);
  assert.equal(config.peeking.lifetimeMs, 3_600_000);
  assert.equal(config.peeking.compatFields, 'auto');
});

test('other servers come to the address of clients, unless it is in plain text, or another is given', () => {
  const addressOf = (more: string) =>
    parse(`server_name: example.org\n${more}`).config.federationAddress;
  assert.equal(addressOf(''), 'example.org:443');
  assert.equal(addressOf('public_baseurl: https://m.example.org/'), 'm.example.org:443');
  assert.equal(addressOf('public_baseurl: https://m.example.org:8443'), 'm.example.org:8443');
  assert.equal(addressOf('public_baseurl: http://m.example.org'), undefined);
  assert.equal(addressOf('federation_address: f.example.org:8448'), 'f.example.org:8448');
});

test('without a file: a local trial, open for registration, for this machine alone', () => {
  const { config, warnings } = loadConfig(undefined, {});
  assert.deepEqual(warnings, []);
  assert.equal(config.serverName, 'localhost');
  assert.equal(config.publicBaseurl, 'http://localhost:8008');
  assert.deepEqual(config.registration, { enabled: true, allowGuests: true });
  assert.equal(config.listeners[0]?.host, '127.0.0.1');
});

test('the file that a test suite writes, in YAML and in JSON', () => {
  const data = {
    server_name: 'localhost:8800',
    public_baseurl: 'http://localhost:8801/',
    signing_key_path: '/tmp/s/signing.key',
    media_path: '/tmp/s/media',
    log_level: 'info',
    default_room_version: '11',
    listeners: [
      { host: 'localhost', port: 8801, tls: false, resources: ['client', 'media'] },
      {
        host: 'localhost',
        port: 8800,
        tls: true,
        resources: ['client', 'media', 'federation', 'key'],
        tls_cert_path: '/tmp/s/tls.crt',
        tls_key_path: '/tmp/s/tls.key',
      },
    ],
    database: { engine: 'postgres', url: 'postgres://u:p@localhost:5432/x' },
    registration: { enabled: true, allow_guests: true, shared_secret: 'reg_secret' },
    outbound: { trusted_ca_path: '/tmp/ca.pem', denied_networks: [] },
    appservice_registration_files: ['/tmp/as.yaml'],
    rate_limits: { enabled: false },
    password_hash: { fast_for_tests: true },
    url_preview: { enabled: true },
    room_directory: {
      anyone_may_publish: true,
      public_without_auth: true,
      public_over_federation: true,
    },
    email: { host: 'localhost', port: 25, from: 'keyhole@localhost' },
    cas: { server_url: 'http://localhost/cas' },
    recaptcha: { siteverify_api: 'http://localhost/r', public_key: 'a', private_key: 'b' },
  };
  const { config, warnings } = parse(JSON.stringify(data));
  assert.deepEqual(config.database, { engine: 'postgres', url: data.database.url, poolSize: 10 });
  assert.equal(config.publicBaseurl, 'http://localhost:8801');
  assert.deepEqual(config.listeners[0]?.tls, undefined);
  assert.deepEqual(config.listeners[1]?.tls, {
    certPath: '/tmp/s/tls.crt',
    keyPath: '/tmp/s/tls.key',
  });
  assert.equal(config.registration.sharedSecret, 'reg_secret');
  assert.deepEqual(warnings, [
    'not built yet and without effect: appservice_registration_files, ' +
      'url_preview, room_directory.anyone_may_publish, email, cas, recaptcha',
  ]);
});

test('whatever is wrong is one line with file, line, key and remedy', () => {
  const base = 'server_name: a.org\n';
  for (const [text, message] of [
    [
      'registration:\n  enabled: true\n',
      /^keyhole\.yaml:1: 'server_name' is missing: add "server_/,
    ],
    ['', /^keyhole\.yaml:1: 'server_name' is missing/],
    ['# nothing\n\nserver_name:\n', /^keyhole\.yaml:3: 'server_name' is missing/],
    ['server_name: "a b"', /^keyhole\.yaml:1: 'server_name' is "a b", but wants a host name/],
    ['server_name: 5', /:1: 'server_name' is 5, but wants text/],
    [`${base}sever_name: b`, /:2: 'sever_name' is no known key: did you mean 'server_name'\?$/],
    [`${base}zzz: b`, /:2: 'zzz' is no known key: known are server_name, /],
    [
      `${base}peeking:\n  lifetime: 5`,
      /:3: 'peeking\.lifetime' is no known key: known are lifetime_ms/,
    ],
    [
      `${base}peeking:\n  grace_ms: soon`,
      /:3: 'peeking\.grace_ms' is "soon", but wants a whole numb/,
    ],
    [`${base}peeking:\n  grace_ms: 0`, /:3: .* is 0, but wants a number >= 1$/],
    [`${base}peeking: 5`, /:2: 'peeking' is 5, but wants a section of keys$/],
    [`${base}peeking: []`, /:2: 'peeking' is a list, but wants a section/],
    [
      `${base}outbound:\n  denied_networks: [10.0.0.0/8, 10.0.0/8]`,
      /:3: 'outbound\.denied_networks\[1\]' is "10\.0\.0\/8", but wants a network such as/,
    ],
    [`${base}log_level: loud`, /:2: 'log_level' is "loud", but wants one of debug, info/],
    [`${base}default_room_version: 11`, /:2: .* is 11, but wants text \(in quotes/],
    [`${base}default_room_version: "99"`, /:2: .* is "99", but wants one of 1, 2, 3/],
    [
      `${base}federation_address: https://a.org`,
      /:2: 'federation_address' is "https:\/\/a\.org", but wants a name and a port/,
    ],
    [`${base}public_baseurl: a.org`, /:2: 'public_baseurl' is "a\.org", but wants an address such/],
    [
      `${base}listeners:\n  - host: a\n  - port: 1`,
      /:3: 'listeners\[0\]\.port' is missing: add it$/,
    ],
    [`${base}listeners: []`, /:2: 'listeners' is a list, but wants at least one entry$/],
    [
      `${base}listeners:\n- port: 1\n- port: 70000`,
      /:4: 'listeners\[1\]\.port' is 70000, but wants/,
    ],
    [
      `${base}listeners:\n- port: 1\n  tls: yes`,
      /:4: 'listeners\[0\]\.tls' is "yes", but wants true/,
    ],
    [`${base}listeners:\n- port: 1\n  tls: true`, /:3: 'listeners\[0\]\.tls_cert_path' is missing/],
    [`${base}database:\n  engine: postgres`, /:2: 'database\.url' is missing: add "url: postgres/],
    [
      `${base}database:\n  engine: mysql`,
      /:3: 'database\.engine' is "mysql", but wants one of sqlite/,
    ],
    ['server_name: [', /^keyhole\.yaml:1: this is no valid YAML: /],
    ['a: 1\n\tb: 2', /^keyhole\.yaml:2: this is no valid YAML: /],
    ['server_name: a\nserver_name: b', /^keyhole\.yaml:2: this is no valid YAML: Map keys must be/],
    ['just text', /^keyhole\.yaml:1: the configuration is "just text", but wants a section/],
    ['- a', /^keyhole\.yaml:1: the configuration is a list, but wants a section/],
  ] as const) {
    assert.throws(
      () => parse(text),
      (error) => {
        assert.ok(error instanceof ConfigError, text);
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'), error.message);
        return true;
      },
    );
  }
});

test('a message never shows a secret', () => {
  for (const text of [
    'registration:\n  shared_secret: 12345',
    'database:\n  engine: postgres\n  url: mysql://u:12345@h/n',
  ]) {
    assert.throws(
      () => parse(`server_name: a.org\n${text}`),
      (error: Error) => !error.message.includes('12345') && /is not right/.test(error.message),
    );
  }
});

test('the environment overrides the file, key by key', () => {
  const { config, warnings } = parse('server_name: a.org\nlisteners:\n- {host: h, port: 1}', {
    KEYHOLE_SERVER_NAME: 'b.org',
    KEYHOLE_REGISTRATION__ENABLED: 'true',
    KEYHOLE_REGISTRATION__SHARED_SECRET: '12345',
    KEYHOLE_LISTENERS__0__PORT: '9000',
    KEYHOLE_DATABASE: '{engine: postgres, url: "postgres://x"}',
    KEYHOLE_MATRIX_SPEC: 'x',
    KEYHOLE_TEST_POSTGRES_URL: 'x',
    KEYHOLE_UNDEFINED: undefined,
    PATH: '/bin',
  });
  assert.equal(config.serverName, 'b.org');
  assert.equal(config.registration.enabled, true);
  assert.equal(config.registration.sharedSecret, '12345');
  assert.deepEqual([config.listeners[0]?.host, config.listeners[0]?.port], ['h', 9000]);
  assert.equal(config.database.engine, 'postgres');
  assert.deepEqual(warnings, []);
});

test('what is wrong in the environment names the variable; variables of others are let be', () => {
  const base = 'server_name: a.org';
  for (const [variable, value, message] of [
    ['KEYHOLE_PEEKING__GRACE_MS', 'soon', /^environment variable KEYHOLE_PEEKING__GRACE_MS: 'peek/],
    ['KEYHOLE_PEEKING__GRACE', '5', /KEYHOLE_PEEKING__GRACE: 'peeking\.grace' is no known key/],
    ['KEYHOLE_DATABASE', '[', /KEYHOLE_DATABASE: 'database' is "\[", but wants a section/],
    ['KEYHOLE_SERVER_NAME', '', /KEYHOLE_SERVER_NAME: 'server_name' is "", but wants some text/],
  ] as const) {
    assert.throws(() => parse(base, { [variable]: value }), { message });
  }
  const { warnings } = parse(base, { KEYHOLE_COLOUR: 'red' });
  assert.deepEqual(warnings, ['ignored, as they name no key: KEYHOLE_COLOUR']);
});

test('a file that cannot be read is one line, too', () => {
  assert.throws(() => loadConfig('/nonexistent/keyhole.yaml', {}), {
    name: 'ConfigError',
    message: '/nonexistent/keyhole.yaml: cannot read the configuration: there is no such file',
  });
});
