// GET of a URL that another server has named, without a signature and over a connection of its own. Redirects are
// followed, to https alone and not for ever; every hop is subject to the denied networks.

import { hostAndPortOf, isServerNameText } from '../protocol/server-name.ts';
import type { Connector } from './connector.ts';
import { DISPATCHER_OPTIONS, exchange, type HttpAnswer, ORIGIN } from './http-exchange.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpsGetOptions {
  readonly connector: Connector;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

/** The first answer that is no redirect. Its connection ends with the body or the signal. */
export async function httpsGet(url: URL, options: HttpsGetOptions): Promise<HttpAnswer> {
  for (let target = url, hops = 0; ; hops++) {
    const answer = await getOnce(target, options);
    if (!REDIRECTS.has(answer.status)) return answer;
    answer.body.destroy();
    if (hops === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
    target = redirectTarget(answer.header('location'), target);
  }
}

function redirectTarget(location: string | undefined, base: URL): URL {
  const target = location === undefined ? null : URL.parse(location, base);
  if (target === null) throw new Error('a redirect without a valid address');
  return target;
}

async function getOnce(url: URL, options: HttpsGetOptions): Promise<HttpAnswer> {
  const { connector, userAgent, signal } = options;
  const { Client } = await import('undici');
  const client = new Client(ORIGIN, {
    ...DISPATCHER_OPTIONS,
    connect: connector.forRoute(routeOf(url)),
  });
  const end = () => void client.destroy();
  try {
    const answer = await exchange(client, {
      method: 'GET',
      path: url.pathname + url.search,
      host: url.host,
      headers: { 'user-agent': userAgent },
      signal,
    });
    answer.body.once('close', end);
    return answer;
  } catch (error) {
    end();
    throw error;
  }
}

function routeOf({ protocol, host, port }: URL) {
  if (protocol !== 'https:' || !isServerNameText(host)) {
    throw new Error('only https is followed, to valid hosts');
  }
  const { host: certifiedName } = hostAndPortOf(host);
  return {
    certifiedName,
    endpoints: [{ host: certifiedName, port: port === '' ? 443 : Number(port) }],
  };
}
