import type { FastifyPluginCallback } from 'fastify';

/** What became of a body; `BodyHandled` of the street door has this shape. */
export type Iso8583Outcome =
  | { readonly kind: 'answered'; readonly frame: Uint8Array }
  /** Nothing is said on purpose: the terminal's own reversal decides. */
  | { readonly kind: 'silent' }
  /** `reason` is one line, safe to show. */
  | { readonly kind: 'bad-body'; readonly reason: string }
  | { readonly kind: 'failed' };

export interface Iso8583Handlers {
  iso8583(body: Uint8Array, remote: string): Promise<Iso8583Outcome>;
}

/** As POS terminals on the public internet send it, and as anything else does. */
const contentTypes = ['application/octet-stream', 'x-ISO-TPDU/x-auth'] as const;

/**
 * `POST /iso8583`: the body is one framed message (2-byte length, TPDU ...), the answer is framed in kind under the
 * same content type. 400: the body is no such thing. 504: there is no answer. 503: this process is about to end.
 */
export function iso8583Routes(handlers: Iso8583Handlers): FastifyPluginCallback {
  return (app, _options, done) => {
    app.addContentTypeParser([...contentTypes], { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    // The rate limit reads `config`; where it is not registered, nobody does.
    app.post('/iso8583', { config: { rateLimit: {} } }, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const outcome = await handlers.iso8583(body, request.ip);
      switch (outcome.kind) {
        case 'answered':
          return reply.type(sameType(request.headers['content-type'])).send(outcome.frame);
        case 'bad-body':
          return reply.code(400).type('text/plain').send(`${outcome.reason}\n`);
        case 'silent':
          return reply.code(504).type('text/plain').send('no answer: reverse\n');
        case 'failed':
          return reply.code(500).type('text/plain').send('internal error\n');
      }
    });
    done();
  };
}

function sameType(given: string | undefined): string {
  const essence = given?.split(';', 1)[0]?.trim().toLowerCase();
  return contentTypes.find(type => type.toLowerCase() === essence) ?? contentTypes[0];
}
