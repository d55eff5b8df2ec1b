// Sessions: many batches and reads over one connection.
import { ack, caught, drain, open, position, range, record, tail } from "./setup.mjs";

const streamOf = (opened, { name, transport }) => opened.basin.stream(name, transport ? { forceTransport: transport } : undefined);

export async function append(parameters) {
  const opened = await open(parameters);
  const stream = streamOf(opened, parameters);
  const session = await stream.appendSession();
  const tickets = [];
  for (let b = 0; b < parameters.batches; b++) tickets.push(await session.submit(opened.batch(range(parameters.size, (i) => parameters.padding + `${b}:${i}`))));
  const acks = await Promise.all(tickets.map(async (ticket) => ack(await ticket.ack())));
  const last = ack(session.lastAckedPosition());
  await session.close();
  return { acks, last, tail: tail(await stream.checkTail()) };
}

export async function producer(parameters) {
  const opened = await open(parameters);
  const { BatchTransform, Producer } = opened.s2;
  const stream = streamOf(opened, parameters);
  const producer = new Producer(new BatchTransform({ lingerDurationMillis: 5, maxBatchRecords: 50, matchSeqNum: 0 }), await stream.appendSession());
  const tickets = [];
  for (let i = 0; i < parameters.count; i++) tickets.push(await producer.submit(opened.text({ body: `${i}` })));
  const numbers = await Promise.all(tickets.map(async (ticket) => (await ticket.ack()).seqNum()));
  await producer.close();
  return numbers;
}

export async function read(parameters) {
  const opened = await open(parameters);
  const stream = streamOf(opened, parameters);
  return await caught(async () => await drain(await stream.readSession(parameters.input, parameters.as ? { as: parameters.as } : undefined)));
}

/** Follows and says each record and when it has caught up; ends when it has so many. */
export async function follow(parameters, test) {
  const opened = await open(parameters);
  const session = await streamOf(opened, parameters).readSession({ start: { from: { seqNum: 0 }, clamp: true } });
  const records = [];
  if (session.caughtUp) session.caughtUp().then((at) => test.say("caught up", position(at)), () => {});
  for await (const r of session) {
    records.push(record(r));
    await test.say("read", r.seqNum);
    if (records.length === parameters.count) break;
  }
  return records.map((r) => [r.seqNum, r.body]);
}

/** Appends numbered batches and stops at each mark until the test says to go on. */
export async function marked(parameters, test) {
  const opened = await open(parameters);
  const session = await streamOf(opened, parameters).appendSession();
  const acks = [];
  let expected = 0;
  for (let b = 0; b < parameters.batches; b++) {
    if (parameters.marks.includes(b)) await test.ask("mark", b);
    const options = parameters.conditional ? { matchSeqNum: expected } : undefined;
    const ticket = await session.submit(opened.batch(range(parameters.size, (i) => `${b}:${i}`), options));
    const answer = await caught(async () => ack(await ticket.ack()));
    acks.push(answer);
    if (!answer.value) break;
    expected = answer.value.end[0];
  }
  const closed = await caught(() => session.close());
  return { acks, closed };
}

/** What ends a session, and how it is told. */
export async function refused(parameters) {
  const opened = await open(parameters);
  const { basin, batch, fence } = opened;
  const stream = streamOf(opened, parameters);
  const inSession = (records, options) => caught(async () => {
    const session = await stream.appendSession();
    const tickets = [await session.submit(batch(["before"])), await session.submit(batch(records, options))];
    const first = ack(await tickets[0].ack());
    const second = await caught(async () => ack(await tickets[1].ack()));
    await caught(() => session.close());
    return { first, second, cause: session.failureCause()?.constructor?.name };
  });
  await stream.append(batch([fence("alice")]));
  return {
    number: await inSession(["x"], { matchSeqNum: 77 }),
    token: await inSession(["x"], { fencingToken: "bob" }),
    beyond: await caught(async () => await drain(await stream.readSession({ start: { from: { seqNum: 99 } } }))),
    tail: tail(await stream.checkTail()),
  };
}

/** Several sessions at once into one stream. */
export async function together(parameters) {
  const opened = await open(parameters);
  const stream = streamOf(opened, parameters);
  await Promise.all(range(parameters.sessions, async (s) => {
    const session = await stream.appendSession();
    for (let b = 0; b < parameters.batches; b++) await session.submit(opened.batch([`${s}:${b}`, `${s}:${b}+`]));
    await session.close();
  }));
  return (await drain(await stream.readSession({ start: { from: { seqNum: 0 } }, stop: { limits: { count: parameters.sessions * parameters.batches * 2 } } }))).records.map((r) => r.body);
}

/** Appends one batch in a session and reads it in another, over whatever the endpoint speaks. */
export async function roundTrip(parameters) {
  const opened = await open(parameters);
  const stream = streamOf(opened, parameters);
  const unary = ack(await stream.append(opened.batch(["unary"])));
  const session = await stream.appendSession();
  const inSession = ack(await (await session.submit(opened.batch(["in a session"]))).ack());
  await session.close();
  const read = await drain(await stream.readSession({ start: { from: { seqNum: 0 } }, stop: { limits: { count: 2 } } }));
  return { unary, inSession, bodies: read.records.map((r) => r.body) };
}
