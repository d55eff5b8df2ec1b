// One stream through the two published clients.
import { all, streams, writeStreams } from "./trigger/setup.mjs";
import { drain, open } from "./s2/setup.mjs";

writeStreams();

const pipe = (run, key, values) => streams.pipe(key, (async function* () { yield* values; })(), { target: run }).waitUntilComplete();

/** Writes through Trigger's SDK: a pipe, and a text by append. */
export async function writeTrigger({ run, key, values, text }) {
  await pipe(run, key, values);
  await streams.append(key, text, { target: run });
}

/** Writes bodies through S2: some in a session, one unary, one as bytes. */
export async function writeS2(parameters) {
  const { basin, batch, bytes } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const session = await stream.appendSession();
  await (await session.submit(batch(parameters.bodies))).ack();
  await session.close();
  await stream.append(batch([parameters.unary]));
  await stream.append(batch([bytes({ body: Buffer.from(parameters.base64, "base64") })]));
}

export async function readTrigger({ run, key, startIndex }) {
  return await all(await streams.read(run, key, { timeoutInSeconds: 1, startIndex }));
}

export async function readS2(parameters) {
  const { basin } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const start = { from: { seqNum: parameters.startIndex } };
  const unary = (await stream.read({ start })).records.map((r) => [r.seqNum, r.body]);
  const session = (await drain(await stream.readSession({ start, stop: { limits: { count: unary.length } } }))).records.map((r) => [r.seqNum, r.body]);
  return { unary, session };
}
