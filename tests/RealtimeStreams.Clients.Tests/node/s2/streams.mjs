// Streams and basins: made, listed, looked at, changed, deleted.
import { ack, caught, open, tail } from "./setup.mjs";

export async function lifecycle(parameters) {
  const { basin, batch } = await open(parameters);
  const { name } = parameters;
  const created = await basin.streams.create({ stream: name, config: { storageClass: "express", timestamping: { mode: "arrival" } } });
  const again = await caught(() => basin.streams.create({ stream: name }));
  const config = await basin.streams.getConfig({ stream: name });
  const reconfigured = await basin.streams.reconfigure({ stream: name, timestamping: { mode: "client-require", uncapped: true } });
  const afterwards = await basin.streams.getConfig({ stream: name });
  const stream = basin.stream(name);
  const before = tail(await stream.checkTail());
  const appended = await caught(() => stream.append(batch(["no timestamp"])));
  await basin.streams.delete({ stream: name });
  const deleted = {
    config: await caught(() => basin.streams.getConfig({ stream: name })),
    again: await caught(() => basin.streams.delete({ stream: name })),
  };
  return { created: { ...created, createdAt: +created.createdAt }, again, config, reconfigured, afterwards, before, appended, deleted };
}

export async function ensure(parameters) {
  const { basin } = await open(parameters);
  const stream = parameters.name;
  const result = async (config) => (await basin.streams.ensure({ stream, ...(config ? { config } : {}) })).result;
  return [
    await result({ timestamping: { mode: "arrival" } }),
    await result({ timestamping: { mode: "arrival" } }),
    await result({ timestamping: { mode: "client-prefer", uncapped: true } }),
  ];
}

/** A deleted name is free again, and empty. */
export async function reborn(parameters) {
  const { basin, batch } = await open(parameters);
  const stream = basin.stream(parameters.name);
  const first = ack(await stream.append(batch(["a", "b"])));
  await basin.streams.delete({ stream: parameters.name });
  let second;
  for (let tries = 0; tries < 50; tries++) {
    second = await caught(async () => ack(await stream.append(batch(["c"]))));
    if (second.value || second.code !== "stream_deletion_pending") break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { first, second, records: (await stream.read({ start: { from: { seqNum: 0 } } })).records.map((r) => r.body) };
}

export async function list(parameters) {
  const { basin } = await open(parameters);
  const { prefix, names } = parameters;
  for (const name of names) await basin.streams.create({ stream: prefix + name });
  const shown = (page) => ({ names: page.streams.map((s) => s.name.slice(prefix.length)), hasMore: page.hasMore });
  const all = [];
  for await (const stream of basin.streams.listAll({ prefix, limit: 2 })) all.push(stream.name.slice(prefix.length));
  return {
    all,
    page: shown(await basin.streams.list({ prefix })),
    two: shown(await basin.streams.list({ prefix, limit: 2 })),
    after: shown(await basin.streams.list({ prefix, startAfter: prefix + parameters.after })),
    none: shown(await basin.streams.list({ prefix: prefix + "nothing" })),
  };
}

/** Names of streams that need escaping on the wire. */
export async function names(parameters) {
  const { basin, batch } = await open(parameters);
  const result = {};
  for (const name of parameters.names) {
    const stream = basin.stream(name);
    await basin.streams.create({ stream: name });
    await stream.append(batch([name]));
    result[name] = (await stream.read({ start: { from: { seqNum: 0 } } })).records.map((r) => r.body);
  }
  return result;
}

/** The calls of an account, of which a server may offer none. */
export async function account(parameters) {
  const { client } = await open(parameters);
  const names = async () => (await client.basins.list()).basins.map((b) => b.name);
  return {
    list: await caught(names),
    ensure: await caught(async () => (await client.basins.ensure({ basin: parameters.basin })).result),
    create: await caught(() => client.basins.create({ basin: "another-basin" })),
    config: await caught(() => client.basins.getConfig({ basin: parameters.basin })),
    delete: await caught(() => client.basins.delete({ basin: "another-basin" })),
    tokens: await caught(() => client.accessTokens.list()),
    metrics: await caught(() => client.metrics.account({ set: "active-basins" })),
    locations: client.locations ? await caught(() => client.locations.list()) : null,
  };
}

/** Who is refused, and how. */
export async function refused(parameters) {
  const { s2, client, basin, batch } = await open(parameters);
  const withToken = (accessToken) => new s2.S2({ ...s2.S2Environment.parse(), accessToken }).basin(parameters.basin).stream(parameters.name);
  return {
    wrongToken: await caught(() => withToken("wrong").append(batch(["x"]))),
    wrongTokenSession: await caught(async () => { const session = await withToken("wrong").appendSession(); await (await session.submit(batch(["x"]))).ack(); }),
    otherBasin: await caught(() => client.basin("some-other-basin").stream(parameters.name).append(batch(["x"]))),
    noStream: await caught(() => basin.streams.getConfig({ stream: parameters.name + "-nothing" })),
    noStreamDeleted: await caught(() => basin.streams.delete({ stream: parameters.name + "-nothing" })),
    endless: await caught(() => basin.streams.create({ stream: parameters.name, config: { retentionPolicy: { infinite: {} } } })),
    otherRetention: await caught(async () => {
      await basin.streams.create({ stream: parameters.name + "-hour", config: { retentionPolicy: { ageSecs: 3600 } } });
      return basin.streams.getConfig({ stream: parameters.name + "-hour" });
    }),
    badConfig: await caught(() => basin.streams.create({ stream: parameters.name, config: { retentionPolicy: { ageSecs: 0 } } })),
    encrypted: await caught(() => basin.stream(parameters.name, { encryptionKey: new Uint8Array(32) }).append(batch(["x"]))),
  };
}

/** A token for appending below a prefix, whose holder does not name the prefix. */
export async function token(parameters) {
  const { s2, client, basin, batch } = await open(parameters);
  const { prefix } = parameters;
  const { accessToken } = await client.accessTokens.issue({
    id: "worker",
    scope: { basins: { exact: parameters.basin }, streams: { prefix }, ops: ["append", "create-stream"] },
    autoPrefixStreams: true,
    expiresAt: new Date(Date.now() + 60_000),
  });
  const own = new s2.S2({ ...s2.S2Environment.parse(), accessToken }).basin(parameters.basin);
  const session = await own.stream("/log").appendSession();
  const appended = await caught(async () => { const a = ack(await (await session.submit(batch(["by the worker"]))).ack()); await session.close(); return a; });
  return {
    appended,
    stored: (await basin.stream(prefix + "/log").read({ start: { from: { seqNum: 0 } } })).records.map((r) => r.body),
    read: await caught(() => own.stream("/log").read({ start: { from: { seqNum: 0 } } })),
    list: await caught(() => own.streams.list()),
    tooLong: await caught(() => client.accessTokens.issue({ id: "x", scope: { basins: { exact: parameters.basin }, streams: { prefix }, ops: ["append"] }, expiresAt: new Date(Date.now() + 400 * 86_400_000) })),
  };
}
