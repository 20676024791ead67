/** The control port: a few HTTP requests on 127.0.0.1 by which a test or a demo drives the bank. README, *Control*. */
import { createServer, type IncomingMessage } from 'node:http';
import { RuleError } from './rules.ts';

const MAX_BODY_BYTES = 256 * 1024;

/** What can be asked of the bank from outside. */
interface Controlled {
  setRules(rules: unknown): void;
  changeKeys(): number;
  pause(): void;
  resume(): void;
  totals(): object;
  counts(): object;
}

export interface Control {
  readonly port: number;
  close(): Promise<void>;
}

/** A request that is answered with this status and message. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function startControl(port: number, bank: Controlled): Promise<Control> {
  const server = createServer((request, response) => {
    answer(request, bank)
      .then(body => ({ status: 200, body }))
      .catch((error: unknown) => {
        if (error instanceof Refusal) return { status: error.status, body: { error: error.message } };
        if (error instanceof RuleError) return { status: 400, body: { error: error.message } };
        return { status: 500, body: { error: 'internal error' } };
      })
      .then(({ status, body }) => {
        // What is left of a body that was refused is not read, so the connection cannot serve another request.
        const headers = { 'content-type': 'application/json', ...(request.complete ? {} : { connection: 'close' }) };
        response.writeHead(status, headers).end(`${JSON.stringify(body)}\n`);
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, bank: Controlled): Promise<object> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /book':
      return bank.totals();
    case 'GET /counts':
      return bank.counts();
    case 'POST /rules':
      bank.setRules(await readJson(request));
      return { done: true };
    case 'POST /key-change':
      return { offered: bank.changeKeys() };
    case 'POST /pause':
      bank.pause();
      return { done: true };
    case 'POST /resume':
      bank.resume();
      return { done: true };
    default:
      throw new Refusal(404, 'GET /book, GET /counts, POST /rules, POST /key-change, POST /pause, POST /resume');
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY_BYTES) throw new Refusal(413, `a body has at most ${MAX_BODY_BYTES} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}
