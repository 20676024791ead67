/** A switch as small as a test needs it: it signs on, takes keys, sends and awaits by (DE7, STAN). Its DES is its own. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { binary2, compile, FrameSplitter, iso87Binary, type Message } from '../../iso8583/index.ts';

export const codec = compile(iso87Binary);
const ACQUIRER = '10000001';
const ZMK = Buffer.from('851A0D9D0B2A1602622AD0B0E9E6B070', 'hex');

export type Fields = Record<number, string | Uint8Array | undefined>;

function des(key: Buffer, data: Uint8Array, decrypt = false): Buffer {
  const make = decrypt ? createDecipheriv : createCipheriv;
  return make('des-ede', key, null).setAutoPadding(false).update(data);
}

export function checkValue(key: Buffer): string {
  return des(key, Buffer.alloc(8)).toString('hex').slice(0, 6).toUpperCase();
}

/** X9.19 block by block, as the standard tells it. */
export function retailMac(key: Buffer, data: Uint8Array): Buffer {
  const single = (half: Buffer, block: Buffer, decrypt = false) => des(Buffer.concat([half, half]), block, decrypt);
  const [left, right] = [key.subarray(0, 8), key.subarray(8)];
  let chain: Buffer = Buffer.alloc(8);
  for (let at = 0; at < data.length; at += 8) {
    const block = Buffer.alloc(8);
    block.set(data.subarray(at, at + 8));
    for (let i = 0; i < 8; i++) block[i] = (block[i] ?? 0) ^ (chain[i] ?? 0);
    chain = single(left, block);
  }
  return single(left, single(right, chain, true));
}

/** ISO 9564 format 0. */
export function pinBlock(key: Buffer, pin: string, pan: string): Buffer {
  const field = Buffer.from(`0${pin.length.toString(16)}${pin}`.padEnd(16, 'f'), 'hex');
  const account = Buffer.from(pan.slice(-13, -1).padStart(16, '0'), 'hex');
  return des(
    key,
    field.map((byte, i) => byte ^ (account[i] ?? 0)),
  );
}

let trace = Math.floor(Math.random() * 500_000);

function nextStan(): string {
  trace = (trace + 1) % 500_000;
  return String(trace).padStart(6, '0');
}

export function now(): string {
  return new Date().toISOString().replace(/^\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d).*$/, '$1$2$3$4$5');
}

/** A purchase with a key of its own; `more` replaces fields. */
export function purchase(pan: string, amount: number, more: Fields = {}): Fields {
  return {
    2: pan,
    3: '000000',
    4: String(amount).padStart(12, '0'),
    7: now(),
    11: nextStan(),
    12: '101112',
    13: '1122',
    22: '051',
    25: '00',
    32: ACQUIRER,
    37: `5326${String(trace).padStart(8, '0')}`,
    41: 'T0000001',
    42: 'M00000000000001',
    49: '156',
    ...more,
  };
}

/** A message with a key of its own that names `original`, which was sent as `mti`, in DE90. */
export function naming(original: Fields, mti: string, amount: number, more: Fields = {}): Fields {
  const { 2: pan, 7: at, 11: stan } = original;
  const elements = `${mti}${String(stan)}${String(at)}${ACQUIRER.padStart(11, '0')}${'0'.repeat(11)}`;
  return purchase(String(pan), amount, { 90: elements, ...more });
}

/** The reversal of a request, with a key of its own. */
export function reversalOf(original: Fields, mti = '0200', more: Fields = {}): Fields {
  return naming(original, mti, Number(original[4]), more);
}

interface Keys {
  readonly zpk: Buffer;
  readonly zak: Buffer;
}

/** Reads DE48, and complains when a check value is not right. */
export function openKeys(field: string): Keys {
  const [, zpk = '', zpkCheck, zak = '', zakCheck] = /^(.{32})(.{6})(.{32})(.{6})$/.exec(field) ?? [];
  const keys = { zpk: des(ZMK, Buffer.from(zpk, 'hex'), true), zak: des(ZMK, Buffer.from(zak, 'hex'), true) };
  if (checkValue(keys.zpk) !== zpkCheck || checkValue(keys.zak) !== zakCheck) throw new Error('wrong check value');
  return keys;
}

export class BankClient {
  readonly socket: Socket;
  /** Messages nobody awaited: repeats, strays, the bank's own requests. */
  readonly others: Message[] = [];
  closed = false;
  macs = false;
  keys: Keys | undefined;
  readonly #awaited = new Map<string, (message: Message) => void>();
  readonly #splitter = new FrameSplitter(binary2, 4096);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', chunk => this.#splitter.push(chunk, frame => this.#message(codec.unpack(Buffer.from(frame)))));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async connect(port: number): Promise<BankClient> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new BankClient(socket);
  }

  /** Connected, with keys and signed on. */
  static async ready(port: number, macs = false): Promise<BankClient> {
    const client = await BankClient.connect(port);
    await client.takeKeys();
    await client.network('001');
    client.macs = macs;
    return client;
  }

  network(code: string): Promise<Message> {
    return this.ask('0800', { 7: now(), 11: nextStan(), 32: ACQUIRER, 70: code });
  }

  async takeKeys(): Promise<void> {
    const answer = await this.network('162');
    this.keys = openKeys(answer.text(48) ?? '');
  }

  /** Sends and gives the answer; rejects after `waitMs`. */
  ask(mti: string, fields: Fields, waitMs = 2000): Promise<Message> {
    const key = `${String(fields[7])}${String(fields[11])}`;
    const answer = new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#awaited.delete(key);
        reject(new Error('no answer'));
      }, waitMs);
      this.#awaited.set(key, message => {
        clearTimeout(timer);
        resolve(message);
      });
    });
    this.socket.write(this.frame(mti, fields));
    return answer;
  }

  /** DE39 of the answer, or 'silence'. */
  async code(mti: string, fields: Fields, waitMs = 2000): Promise<string | undefined> {
    return this.ask(mti, fields, waitMs).then(
      answer => answer.text(39),
      () => 'silence',
    );
  }

  frame(mti: string, fields: Fields): Buffer {
    const into = Buffer.alloc(2048);
    const macField = Object.keys(fields).some(number => Number(number) > 64) ? 128 : 64;
    const withMac = this.macs && !mti.startsWith('08') && fields[macField] === undefined;
    const end = codec.pack({ mti, fields: withMac ? { ...fields, [macField]: Buffer.alloc(8) } : fields }, into, 2);
    if (withMac && this.keys) retailMac(this.keys.zak, into.subarray(2, end - 8)).copy(into, end - 8);
    into.writeUInt16BE(end - 2, 0);
    return into.subarray(0, end);
  }

  close(): void {
    this.socket.destroy();
  }

  #message(message: Message): void {
    const key = `${message.text(7)}${message.text(11)}`;
    const awaited = message.mti === '0800' ? undefined : this.#awaited.get(key);
    this.#awaited.delete(key);
    if (awaited) awaited(message);
    else this.others.push(message);
  }
}
