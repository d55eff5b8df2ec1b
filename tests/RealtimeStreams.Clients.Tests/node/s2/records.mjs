// Unary calls: append, read, check tail, and what conditions and commands do.
import { ack, batchOf, caught, open, range, tail } from "./setup.mjs";

export async function append(parameters) {
  const { basin, batch, text, bytes } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const acks = [
    await stream.append(batch(["first", ""])),
    await stream.append(batch([text({ body: '{"json":"ä"}', headers: [["kind", "note"], ["kind", "twice"], ["empty", ""]] })])),
    await stream.append(batch([bytes({ body: new Uint8Array([0, 255, 254, 10]), headers: [["b", new Uint8Array([128, 0])]] })])),
    await stream.append(batch([text({ body: "text beside bytes" }), bytes({ body: new Uint8Array([1]) })])),
  ].map(ack);
  return {
    acks,
    tail: tail(await stream.checkTail()),
    asText: batchOf(await stream.read({ start: { from: { seqNum: 0 } }, stop: { limits: { count: 3 } } })),
    asBytes: batchOf(await stream.read({ start: { from: { seqNum: 0 } } }, { as: "bytes" })),
  };
}

/** Timestamps: the client's, capped at arrival, never going back. */
export async function timestamps(parameters) {
  const { basin, batch, text } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const now = Date.now();
  const given = [now - 100_000, now - 50_000, now - 90_000, now + 3_600_000];
  for (const timestamp of given) await stream.append(batch([text({ body: "x", timestamp })]));
  const read = batchOf(await stream.read({ start: { from: { seqNum: 0 } } }));
  return { now, after: Date.now(), given, read: read.records.map((r) => r.timestamp), tail: tail(await stream.checkTail()) };
}

/** Every way to say where a read begins and ends, over ten records of known times. */
export async function positions(parameters) {
  const { basin, batch, text } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const base = Date.now() - 1_000_000;
  await stream.append(batch(range(10, (i) => text({ body: `${i}`, timestamp: base + i * 1000 }))));
  const read = (start, stop) => caught(async () => {
    const answer = await stream.read({ start, ...(stop ? { stop } : {}) });
    return { bodies: answer.records.map((r) => r.body), tail: answer.tail ? answer.tail.seqNum : null };
  });
  const from = (from, clamp) => (clamp === undefined ? { from } : { from, clamp });
  return {
    fromStart: await read(from({ seqNum: 0 })),
    fromSeven: await read(from({ seqNum: 7 })),
    fromTime: await read(from({ timestamp: base + 4000 })),
    betweenTimes: await read(from({ timestamp: new Date(base + 4500) })),
    fromOffset: await read(from({ tailOffset: 3 })),
    offsetBeyond: await read(from({ tailOffset: 1000 })),
    atTail: await read(from({ seqNum: 10 })),
    atTailClamped: await read(from({ seqNum: 10 }, true)),
    beyond: await read(from({ seqNum: 11 })),
    beyondClamped: await read(from({ seqNum: 99 }, true), { waitSecs: 1 }),
    timeBeyond: await read(from({ timestamp: base + 10_000_000 })),
    noStart: await read(undefined),
    count: await read(from({ seqNum: 2 }), { limits: { count: 3 } }),
    countBeyond: await read(from({ seqNum: 8 }), { limits: { count: 30 } }),
    bytes: await read(from({ seqNum: 0 }), { limits: { bytes: 27 } }), // Nine metered bytes each.
    bytesTooFew: await read(from({ seqNum: 0 }), { limits: { bytes: 8 } }),
    until: await read(from({ seqNum: 0 }), { untilTimestamp: base + 3000 }),
    untilBeforeStart: await read(from({ timestamp: base + 5000 }), { untilTimestamp: base + 5000 }),
    waitAtTail: await read(from({ seqNum: 10 }), { waitSecs: 1 }),
  };
}

/** A unary read that waits answers as soon as anything is there. */
export async function waiting(parameters, test) {
  const { basin, batch } = await open(parameters);
  const stream = basin.stream(parameters.name);
  await stream.append(batch(["before"]));
  const answer = caught(async () => batchOf(await stream.read({ start: { from: { seqNum: 1 } }, stop: { waitSecs: 30 } })));
  await test.ask("waiting");
  return await answer;
}

export async function conditions(parameters) {
  const { basin, batch, fence } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const append = (records, options) => caught(async () => ack(await stream.append(batch(records, options))));
  return {
    first: await append(["a"], { matchSeqNum: 0 }),
    repeated: await append(["a"], { matchSeqNum: 0 }),
    second: await append(["b"], { matchSeqNum: 1 }),
    emptyToken: await append(["c"], { fencingToken: "" }),
    unknownToken: await append(["d"], { fencingToken: "alice" }),
    fenced: await append([fence("alice")]),
    withToken: await append(["e"], { fencingToken: "alice", matchSeqNum: 4 }),
    withoutToken: await append(["f"]),
    wrongToken: await append(["g"], { fencingToken: "bob" }),
    wrongBoth: await append(["g"], { fencingToken: "bob", matchSeqNum: 0 }),
    tokenThenNumber: await append(["g"], { fencingToken: "alice", matchSeqNum: 0 }),
    fencedAgain: await append([fence("bob")], { fencingToken: "alice" }),
    oldToken: await append(["h"], { fencingToken: "alice" }),
    tail: tail(await stream.checkTail()),
    read: batchOf(await stream.read({ start: { from: { seqNum: 0 } } })),
    withoutCommands: batchOf(await stream.read({ start: { from: { seqNum: 0 } }, ignoreCommandRecords: true })),
  };
}

export async function trimming(parameters) {
  const { basin, batch, trim } = await open(parameters);
  const stream = basin.stream(parameters.name);
  await stream.append(batch(range(10, String)));
  const trimmed = ack(await stream.append(batch([trim(6)])));
  const bodies = async () => (await stream.read({ start: { from: { seqNum: 0 } }, ignoreCommandRecords: true })).records.map((r) => [r.seqNum, r.body]);
  let kept;
  for (let tries = 0; tries < 100; tries++) {
    kept = await bodies();
    if (kept[0][0] === 6) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stream.append(batch([trim(2)])); // Never moves back.
  await stream.append(batch([trim(1000)])); // Capped behind itself.
  let left;
  for (let tries = 0; tries < 100; tries++) {
    left = await caught(async () => batchOf(await stream.read({ start: { from: { seqNum: 0 } } })));
    if (!left.value) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { trimmed, kept, left, tail: tail(await stream.checkTail()) };
}

export async function limits(parameters) {
  const { s2, basin, batch, text, bytes } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const append = (records) => caught(async () => ack(await stream.append(batch(records))));
  const most = s2.MAX_APPEND_BYTES - 8;
  return {
    largest: await append([text({ body: "x".repeat(most) })]),
    largestBytes: await append([bytes({ body: new Uint8Array(most).fill(7) })]),
    most: await append(range(1000, () => "y")),
    read: (await stream.read({ start: { from: { seqNum: 0 } }, stop: { limits: { count: 1 } } })).records[0].body.length,
    unnamed: await append([text({ body: "x", headers: [["", "nothing"]] })]),
    unnamedAmongOthers: await append([text({ body: "x", headers: [["", "fence"], ["a", "b"]] })]),
    longToken: await append([s2.AppendRecord.string({ body: "t".repeat(37), headers: [["", "fence"]] })]),
    shortTrim: await append([bytes({ body: new Uint8Array(3), headers: [["", "trim"]] })]),
  };
}
