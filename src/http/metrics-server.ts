import { type FastifyInstance, fastify } from 'fastify';

/** What is exposed; `Metrics` of src/telemetry has this shape. */
export interface Exposition {
  readonly contentType: string;
  exposition(): Promise<string>;
}

/** `GET /metrics` on a server of its own, so that neither a flood at the front nor its rate limit blinds the operator. */
export function createMetricsServer(metrics: Exposition): FastifyInstance {
  const app = fastify({ logger: false, requestTimeout: 10_000 });
  app.server.maxConnections = 100;
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.exposition()));
  return app;
}
