// Texts that are no identifier, no number and so on, by the format that they are to fail.

const LONG = 'x'.repeat(300);

const NO_SERVER_NAMES = [
  '',
  'two words',
  'a_b',
  'a..b',
  'a:',
  'a:0',
  'a:65536',
  'a:port',
  'a:1:2',
  '[::1',
  '[1::2::3]',
  '999.1.1.1',
  'ä.example',
  'a/b',
  'a?b',
  'a#b',
  'a%2Fb',
  'a\tb',
  `${'a'.repeat(250)}.example`,
];

function noIdentifiers(sigil: string, others: string): readonly string[] {
  return [
    'nonsense',
    sigil,
    `${sigil}a`,
    `${sigil}a:`,
    `${sigil}${sigil}`,
    `${sigil}${LONG}:example.org`,
    `a${sigil}:example.org`,
    ` ${sigil}a:example.org`,
    `${sigil}a:example.org `,
    `${sigil}a:example.org:1:2`,
    ...[...others].map((other) => `${other}a:example.org`),
    ...NO_SERVER_NAMES.filter((name) => name !== '').map((name) => `${sigil}a:${name}`),
  ];
}

const BAD_TEXTS: Readonly<Record<string, readonly string[]>> = {
  'mx-user-id': noIdentifiers('@', '!#$'),
  'mx-room-id': [...noIdentifiers('!', '@#$'), `!${'a'.repeat(42)}`, `!${'a'.repeat(44)}`],
  'mx-room-alias': noIdentifiers('#', '@!$'),
  'mx-room-id-or-alias': noIdentifiers('!', '@$'),
  'mx-event-id': ['nonsense', '$', '@a:example.org', '!a:example.org', ' $a', `$${LONG}`, '#$a'],
  'mx-server-name': NO_SERVER_NAMES,
  'mx-device-id': [LONG],
  'mx-media-id': ['a.b', 'a b', 'ä', 'a:b', 'a%b', 'a\\b', '~a', LONG],
  'mx-short-text': [LONG, 'ä'.repeat(128)],
  'mx-state-key': [LONG],
  'mx-filter': ['{', '[]', 'null', '1', 'nonsense', '{"limit":"many"}', '{"types":"m.room"}'],
};

/** Texts that are not of the format; none for formats that take any text. */
export function badTexts(format: string | undefined): readonly string[] {
  return BAD_TEXTS[format ?? ''] ?? [];
}

export const BAD_INTEGERS = [
  'abc',
  '1.5',
  '1e3',
  '1e400',
  '-1e400',
  '9007199254740993',
  '99999999999999999999',
  '0x10',
  '١',
  '--1',
  '+1',
  '1 ',
  'NaN',
  'Infinity',
  'null',
];

export const BAD_BOOLEANS = ['yes', '1', '0', 'TRUE', 'False', 'null', 'truefalse'];

/** Percent-encoding that decodes to no text. */
export const UNDECODABLE = [
  '%',
  '%Z',
  '%ZZ',
  '%FF',
  '%C3',
  '%ED%A0%80',
  '%ED%BF%BF',
  '%F5%80%80%80',
];
