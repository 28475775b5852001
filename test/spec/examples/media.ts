// Media.

import { PIXEL, type World } from '../world.ts';
import { type Example, type Examples, withoutToken } from './example.ts';

const NONE = { serverName: 'keyhole.test', mediaId: 'none' };
const SMALL = { width: '32', height: '32', method: 'crop' };

function read(more: {
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string>;
}): Example {
  const { params = {}, query = {} } = more;
  return {
    success: async (world) => ({ params: { ...(await world.upload()), ...params }, query }),
    refusal: () => ({
      params: { ...NONE, ...params },
      query,
      status: 404,
      errcode: 'M_NOT_FOUND',
    }),
  };
}

async function reserved(world: World): Promise<Record<string, string>> {
  const { body } = await world.ok('createContent');
  const [serverName = '', mediaId = ''] = body.content_uri.replace('mxc://', '').split('/');
  return { serverName, mediaId };
}

export const media: Examples = {
  uploadContent: {
    success: () => ({ bytes: PIXEL, contentType: 'image/png', query: { filename: 'dot.png' } }),
    refusal: () => ({
      bytes: new Uint8Array(1_000_001),
      contentType: 'image/png',
      status: 413,
      errcode: 'M_TOO_LARGE',
    }),
  },
  createContent: {
    // Nobody may have many uploads pending.
    success: async (world) => ({ as: await world.register('reserver') }),
    refusal: () => withoutToken(),
  },
  uploadContentToMXC: {
    success: async (world) => ({
      params: await reserved(world),
      bytes: PIXEL,
      contentType: 'image/png',
    }),
    refusal: async (world) => ({
      params: { ...(await world.upload()) },
      bytes: PIXEL,
      contentType: 'image/png',
      status: 409,
      errcode: 'M_CANNOT_OVERWRITE_MEDIA',
    }),
  },
  getContentAuthed: read({}),
  getContentOverrideNameAuthed: read({ params: { fileName: 'punkt ☕.png' } }),
  getContentThumbnailAuthed: read({ query: SMALL }),
  getConfigAuthed: { success: () => ({}), refusal: () => withoutToken() },
  getContent: read({}),
  getContentOverrideName: read({ params: { fileName: 'dot.png' } }),
  getContentThumbnail: read({ query: SMALL }),
  getConfig: { success: () => ({}), refusal: () => withoutToken() },
};
