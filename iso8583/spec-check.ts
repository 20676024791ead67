/**
 * Says what is wrong with a spec. It takes `unknown`, because a spec may come from a file that no compiler has seen: a
 * misspelt key would otherwise be a rule that silently does not hold.
 */

type Bag = Readonly<Record<string, unknown>>;

const SPEC_KEYS = ['name', 'title', 'headers', 'mti', 'bitmap', 'macFields', 'fields'];
const HEADER_KEYS = ['name', 'length'];
const BITMAP_KEYS = ['encoding', 'fields'];
const PREFIX_KEYS = ['digits', 'encoding', 'counts'];
const FIELD_KEYS = [
  ...['name', 'content', 'encoding', 'length', 'max', 'prefix', 'align', 'filler', 'pad', 'signs', 'ciphertext'],
  'sensitive',
];
const SENSITIVE = ['pan', 'track', 'pin', 'keys', 'icc', 'other'];
/** The encodings that each content can have. */
const ENCODINGS: Readonly<Record<string, readonly string[]>> = {
  n: ['bcd', 'ascii'],
  z: ['bcd', 'ascii'],
  'x+n': ['bcd', 'ascii'],
  an: ['ascii'],
  ans: ['ascii'],
  b: ['binary'],
};
/** Four digits of length are the most that any dialect has. */
const LARGEST_FIELD = 9999;

/** One line for each mistake, with the field and what is wrong; none for a spec that compiles. */
export function problemsOf(spec: unknown): string[] {
  if (!isBag(spec)) return ['a spec is an object'];
  const problems: string[] = [];
  const say = (line: string): void => void problems.push(line);
  unknownKeys(spec, SPEC_KEYS, say);
  if (!isName(spec.name)) say('name must be text');
  if (!isName(spec.title)) say('title must be text');
  if (spec.mti !== 'bcd' && spec.mti !== 'ascii') say(`mti must be bcd or ascii, not ${show(spec.mti)}`);
  const fieldCount = checkBitmap(spec.bitmap, say);
  if (spec.headers !== undefined) checkHeaders(spec.headers, say);
  const fields = spec.fields;
  if (!isBag(fields)) {
    say('fields must be an object');
    return problems;
  }
  for (const [key, field] of Object.entries(fields)) {
    const number = Number(key);
    const sayOf = (line: string): void => say(`field ${key}: ${line}`);
    if (!/^[1-9]\d*$/.test(key)) sayOf('not a field number');
    else if (number === 1 || number === 65) sayOf('is a bitmap, which is never listed');
    else if (number > fieldCount) sayOf(`the bitmap has only ${fieldCount} fields`);
    if (isBag(field)) checkField(field, sayOf);
    else sayOf('must be an object');
  }
  if (spec.macFields !== undefined) checkMacFields(spec.macFields, fields, say);
  return problems;
}

type Say = (line: string) => void;

function checkBitmap(bitmap: unknown, say: Say): number {
  if (!isBag(bitmap)) {
    say('bitmap must be an object');
    return 128;
  }
  unknownKeys(bitmap, BITMAP_KEYS, line => say(`bitmap: ${line}`));
  if (bitmap.encoding !== 'binary') say(`bitmap: encoding must be binary, not ${show(bitmap.encoding)}`);
  if (bitmap.fields === 64 || bitmap.fields === 128) return bitmap.fields;
  say(`bitmap: fields must be 64 or 128, not ${show(bitmap.fields)}`);
  return 128;
}

function checkHeaders(headers: unknown, say: Say): void {
  if (!Array.isArray(headers)) {
    say('headers must be a list');
    return;
  }
  const seen = new Set<unknown>();
  for (const header of headers) {
    if (!isBag(header) || !isName(header.name)) {
      say('headers: each must be an object with a name');
      continue;
    }
    const label = `header ${header.name}`;
    unknownKeys(header, HEADER_KEYS, line => say(`${label}: ${line}`));
    if (!isCount(header.length, 255)) say(`${label}: length must be 1 to 255, not ${show(header.length)}`);
    if (seen.has(header.name)) say(`${label}: named twice`);
    seen.add(header.name);
  }
}

function checkMacFields(macFields: unknown, fields: Bag, say: Say): void {
  if (!Array.isArray(macFields)) {
    say('macFields must be a list');
    return;
  }
  for (const field of macFields) {
    if (typeof field !== 'number' || !Object.hasOwn(fields, field)) say(`macFields: there is no field ${show(field)}`);
  }
}

function checkField(field: Bag, say: Say): void {
  unknownKeys(field, FIELD_KEYS, say);
  if (!isName(field.name)) say('name must be text');
  const { content, encoding, length, max, pad, sensitive } = field;
  const encodings = typeof content === 'string' && Object.hasOwn(ENCODINGS, content) ? ENCODINGS[content] : undefined;
  if (encodings === undefined) {
    say(`content must be one of ${Object.keys(ENCODINGS).join(', ')}, not ${show(content)}`);
  } else if (typeof encoding !== 'string' || !encodings.includes(encoding)) {
    say(`content ${show(content)} can be encoded as ${encodings.join(' or ')}, not ${show(encoding)}`);
  }
  if ((length === undefined) === (max === undefined)) say('needs either length (fixed) or max (variable)');
  if (length !== undefined && !isCount(length, LARGEST_FIELD)) {
    say(`length must be 1 to ${LARGEST_FIELD}, not ${show(length)}`);
  }
  if (max !== undefined && !isCount(max, LARGEST_FIELD)) say(`max must be 1 to ${LARGEST_FIELD}, not ${show(max)}`);
  if ((max === undefined) !== (field.prefix === undefined)) say('max and prefix go together');
  if (field.prefix !== undefined) checkPrefix(field, say);
  checkBcdRules(field, say);
  if (pad !== undefined && pad !== 'space-right' && pad !== 'zero-left') {
    say(`pad must be space-right or zero-left, not ${show(pad)}`);
  } else if (pad !== undefined && length === undefined) {
    say('pad is for fixed fields');
  } else if (pad === 'space-right' && content !== 'an' && content !== 'ans') {
    say('pad space-right is for an and ans');
  } else if (pad === 'zero-left' && content !== 'n') {
    say('pad zero-left is for n');
  }
  if (field.signs !== undefined) {
    if (content !== 'x+n') say('signs is for x+n');
    if (typeof field.signs !== 'string' || !/^[\x21-\x7e]+$/.test(field.signs)) {
      say('signs must be printable characters');
    }
  }
  if (sensitive !== undefined && (typeof sensitive !== 'string' || !SENSITIVE.includes(sensitive))) {
    say(`sensitive must be one of ${SENSITIVE.join(', ')}, not ${show(sensitive)}`);
  }
}

function checkPrefix({ content, encoding, max, prefix }: Bag, say: Say): void {
  if (!isBag(prefix)) {
    say('prefix must be an object');
    return;
  }
  unknownKeys(prefix, PREFIX_KEYS, line => say(`prefix: ${line}`));
  const { digits, counts } = prefix;
  if (prefix.encoding !== 'bcd' && prefix.encoding !== 'ascii') {
    say(`prefix: encoding must be bcd or ascii, not ${show(prefix.encoding)}`);
  }
  if (counts !== 'digits' && counts !== 'bytes') say(`prefix: counts must be digits or bytes, not ${show(counts)}`);
  if (counts === 'digits' && content !== 'n' && content !== 'z') say('prefix: only n and z are counted in digits');
  if (content === 'x+n') say('prefix: x+n has a fixed length');
  if (!isCount(digits, 4)) {
    say(`prefix: digits must be 1 to 4, not ${show(digits)}`);
    return;
  }
  if (typeof max !== 'number') return;
  const largest = 10 ** digits - 1;
  const counted = encoding === 'bcd' && counts === 'bytes' ? Math.ceil(max / 2) : max;
  if (counted > largest) say(`prefix: ${digits} digits cannot say ${counted}`);
  if (encoding === 'bcd' && counts === 'bytes' && max % 2 === 1) {
    say('prefix: a number counted in bytes has an even number of digits, so max must be even');
  }
}

function checkBcdRules({ content, encoding, align, filler, ciphertext }: Bag, say: Say): void {
  if (align !== undefined && align !== 'left' && align !== 'right') {
    say(`align must be left or right, not ${show(align)}`);
  }
  if (filler !== undefined && filler !== '0' && filler !== 'F') say(`filler must be 0 or F, not ${show(filler)}`);
  if ((align !== undefined || filler !== undefined) && encoding !== 'bcd') say('align and filler are for bcd');
  if (ciphertext !== undefined && typeof ciphertext !== 'boolean') {
    say(`ciphertext must be true or false, not ${show(ciphertext)}`);
  }
  if (ciphertext === true && (content !== 'z' || encoding !== 'bcd')) say('ciphertext is for z in bcd');
}

function unknownKeys(bag: Bag, known: readonly string[], say: Say): void {
  for (const key of Object.keys(bag)) if (!known.includes(key)) say(`${show(key)} is not a key of a spec here`);
}

function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown, largest: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= largest;
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
