import rateLimit from '@fastify/rate-limit';
import { type FastifyInstance, fastify } from 'fastify';
import { type HealthHandlers, healthRoutes } from './health.ts';
import { type Iso8583Handlers, iso8583Routes } from './iso8583.ts';

/** The use cases behind the routes, handed in by `main.ts`. */
export interface HttpHandlers extends HealthHandlers, Iso8583Handlers {
  /** Something broke that is not the caller's fault. */
  onError(error: unknown): void;
}

export interface HttpOptions {
  /** Longest body, its length prefix included. */
  readonly maxBodyBytes: number;
  /** Of one address, to the public routes; 0 is no limit. */
  readonly requestsPerMinute: number;
  /** Proxies whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[];
  readonly maxConnections: number;
}

/** A body and its headers that take longer than this are somebody holding the connection. */
const requestTimeoutMs = 30_000;

/** The HTTP server, ready to `listen`. `close` lets requests in flight end and answers new ones 503. */
export async function createHttp(options: HttpOptions, handlers: HttpHandlers): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: options.maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    trustProxy: options.trustProxy.length === 0 ? false : [...options.trustProxy],
    logger: false,
  });
  app.server.maxConnections = options.maxConnections;
  // Framed messages are all that is taken; the parsers for JSON and text would only widen the door.
  app.removeAllContentTypeParsers();
  if (options.requestsPerMinute > 0) {
    await app.register(rateLimit, { global: false, max: options.requestsPerMinute, timeWindow: 60_000, cache: 10_000 });
  }
  app.setErrorHandler((error: unknown, _request, reply) => {
    const status = statusOf(error);
    if (status >= 500) handlers.onError(error);
    return reply
      .code(status)
      .type('text/plain')
      .send(status >= 500 ? 'internal error\n' : `${textOf(error)}\n`);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('no such page\n'));
  await app.register(healthRoutes(handlers));
  await app.register(iso8583Routes(handlers));
  return app;
}

function statusOf(error: unknown): number {
  const { statusCode } = error as { readonly statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 ? statusCode : 500;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'bad request';
}
