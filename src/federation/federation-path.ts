// Paths of requests to other servers: what is put into them is encoded as one component each.

/** federationPath`/_matrix/federation/v1/state/${roomId}` */
export function federationPath(
  strings: TemplateStringsArray,
  ...components: readonly string[]
): string {
  return strings.reduce(
    (path, text, index) => path + encodeURIComponent(components[index - 1] ?? '') + text,
  );
}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The path with the query, as it is signed and sent. */
export function withQuery(path: string, query: Query = {}): string {
  const parameters = Object.entries(query).flatMap(([name, value = []]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
  );
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`;
}
