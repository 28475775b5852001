// Headers of every response to a browser (Client-Server API, "Web Browser Clients").

export const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
} as const;

/** The answer to OPTIONS, whatever the path: browsers may keep it for a day. */
export const PREFLIGHT_HEADERS = { ...CORS_HEADERS, 'access-control-max-age': '86400' } as const;
