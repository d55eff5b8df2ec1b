// Append, read, and the conditions that keep two writers apart: the S2 client against RealtimeStreams.
// S2_ACCESS_TOKEN=$KEY S2_ACCOUNT_ENDPOINT=http://127.0.0.1:5217 S2_BASIN_ENDPOINT=http://127.0.0.1:5217 node tour.mjs
import { AppendInput, AppendRecord, S2, S2Environment, SeqNumMismatchError } from "@s2-dev/streamstore";

const s2 = new S2(S2Environment.parse());
const [{ name }] = (await s2.basins.list()).basins; // The basin is the environment of the token.
console.log(`basin ${name}`);
const basin = s2.basin(name);
const batch = (texts, options) => AppendInput.create(texts.map((body) => AppendRecord.string({ body })), options);

// A stream is there as soon as somebody writes. This one belongs to no run.
const stream = basin.stream(`tour/${Date.now()}`);
const { end } = await stream.append(batch(["one", "two"]));
console.log(`next number ${end.seqNum}`);

// A session: many batches over one HTTP/2 connection, each acknowledged.
const session = await stream.appendSession();
const ticket = await session.submit(batch(["three"], { matchSeqNum: end.seqNum }));
console.log(`stored as ${(await ticket.ack()).start.seqNum}`);
await session.close();

// The same condition again: somebody was faster.
try {
  await stream.append(batch(["three"], { matchSeqNum: end.seqNum }));
} catch (error) {
  if (!(error instanceof SeqNumMismatchError)) throw error;
  console.log(`refused: the next number is ${error.expectedSeqNum}`);
}

for await (const record of await stream.readSession({ start: { from: { seqNum: 0 } }, stop: { limits: { count: 3 } } })) console.log(`${record.seqNum}: ${record.body}`);
await basin.streams.delete({ stream: stream.name });
await stream.close();
