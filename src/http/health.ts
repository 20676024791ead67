import type { FastifyPluginCallback } from 'fastify';

/** Whether this process can serve, and what it hangs on. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<'postgres' | 'redis' | 'hsm' | 'links' | 'recovery', boolean>>;
}

export interface HealthHandlers {
  ready(): Promise<Readiness>;
}

/** `GET /livez`: the process turns its loop. `GET /readyz`: it can serve; 503 with the same body when it cannot. */
export function healthRoutes(handlers: HealthHandlers): FastifyPluginCallback {
  return (app, _options, done) => {
    app.get('/livez', (_request, reply) => reply.type('text/plain').send('alive\n'));
    app.get('/readyz', async (_request, reply) => {
      const readiness = await handlers.ready();
      return reply.code(readiness.ready ? 200 : 503).send(readiness);
    });
    done();
  };
}
