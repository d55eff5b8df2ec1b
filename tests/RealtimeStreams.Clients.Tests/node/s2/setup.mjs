/** Everything of one version of the client, and a basin at the server that the environment names. */
export async function open({ version, basin, compression }) {
  const s2 = await import(`s2-${version}`);
  const client = new s2.S2({ ...s2.S2Environment.parse(), ...(compression ? { compression } : {}) });
  const { AppendInput, AppendRecord } = s2;
  return {
    s2,
    client,
    basin: client.basin(basin),
    /** A batch of texts, or of whole records. */
    batch: (records, options) => AppendInput.create(records.map((record) => (typeof record === "string" ? AppendRecord.string({ body: record }) : record)), options),
    text: AppendRecord.string,
    bytes: AppendRecord.bytes,
    fence: AppendRecord.fence,
    trim: AppendRecord.trim,
  };
}

const position = (p) => (p ? [p.seqNum, +p.timestamp] : null);

/** An acknowledgement or a tail as numbers. */
export const ack = (a) => ({ start: position(a.start), end: position(a.end), tail: position(a.tail) });
export const tail = (t) => position(t.tail);
export { position };

const shown = (value) => (value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value);

/** A record as JSON shows it. */
export const record = (r) => ({ seqNum: r.seqNum, timestamp: +r.timestamp, headers: r.headers.map(([name, value]) => [shown(name), shown(value)]), body: shown(r.body) });
export const batchOf = (b) => ({ records: b.records.map(record), tail: position(b.tail) });

/** What an error shows of itself, and after how many milliseconds it came. */
export async function caught(action) {
  const began = performance.now();
  try {
    return { value: (await action()) ?? null, milliseconds: performance.now() - began };
  } catch (error) {
    return {
      kind: error?.constructor?.name, code: error?.code ?? null, status: error?.status ?? null, message: String(error?.message ?? error),
      expectedSeqNum: error?.expectedSeqNum, expectedFencingToken: error?.expectedFencingToken, tail: position(error?.tail), milliseconds: performance.now() - began,
    };
  }
}

/** All records of a read session, and where it ended. */
export async function drain(session) {
  const records = [];
  for await (const r of session) records.push(record(r));
  return { records, next: position(session.nextReadPosition()), tail: position(session.lastObservedTail()) };
}

export const range = (count, map = (i) => i) => Array.from({ length: count }, (_, i) => map(i));
