// A Trigger.dev server that keeps its streams in S2, as far as streams go: three routes, and the calls to S2 that such a server makes
// (one token per worker below its prefix, appends and reads by JSON and server-sent events, an answer of S2 passed on as it is).
// Behind it the published SDK, which writes to S2 by itself with what the PUT tells it.
import { createServer } from "node:http";
import { Readable } from "node:stream";

const prefix = `org/${Date.now()}/env/test`;

async function s2(path, init = {}, basin) {
  const { S2_BASIN_ENDPOINT: endpoint, S2_ACCESS_TOKEN: token } = process.env;
  return await fetch(`${endpoint}/v1${path}`, { ...init, headers: { authorization: `Bearer ${token}`, "s2-format": "raw", ...(basin ? { "s2-basin": basin } : {}), ...init.headers } });
}

function serve(basin, issueTokens) {
  const records = (run, key) => `/streams/${encodeURIComponent(`${prefix}/runs/${run}/${key}`)}/records`;
  const json = { "content-type": "application/json" };

  async function handle(request, response) {
    const [, run, , key, append] = /^\/realtime\/v1\/streams\/([^/]+)(\/self)?\/([^/]+)(\/append)?$/.exec(request.url) ?? [];
    if (request.method === "PUT") {
      const worker = issueTokens
        ? await s2("/access-tokens", {
          method: "POST", headers: json,
          body: JSON.stringify({
            id: crypto.randomUUID(),
            scope: { basins: { exact: basin }, ops: ["append", "create-stream", "trim"], streams: { prefix } },
            expires_at: new Date(Date.now() + 86_400_000).toISOString(),
            auto_prefix_streams: true,
          }),
        }).then(async (answer) => {
          if (!answer.ok) throw new Error(`No token: ${answer.status} ${await answer.text()}`);
          return (await answer.json()).access_token;
        })
        : process.env.S2_ACCESS_TOKEN;
      const name = `/runs/${run}/${key}`;
      response.writeHead(200, {
        ...json, "x-s2-access-token": worker, "x-s2-basin": basin, "x-s2-endpoint": `${process.env.S2_BASIN_ENDPOINT}/v1`,
        "x-s2-stream-name": issueTokens ? name : prefix + name, "x-s2-flush-interval-ms": "50",
      });
      return response.end('{"version":"v2"}');
    }
    if (append) {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const record = { body: JSON.stringify({ data: Buffer.concat(chunks).toString(), id: crypto.randomUUID() }) };
      const answer = await s2(records(run, key), { method: "POST", headers: json, body: JSON.stringify({ records: [record] }) }, basin);
      response.writeHead(answer.status, json);
      return response.end(answer.ok ? '{"ok":true}' : await answer.text());
    }
    const last = request.headers["last-event-id"];
    const query = new URLSearchParams({ seq_num: String(last ? Number(last) + 1 : 0), clamp: "true", wait: request.headers["timeout-seconds"] ?? "60" });
    const answer = await s2(`${records(run, key)}?${query}`, { headers: { accept: "text/event-stream" } }, basin);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type"), "x-stream-version": "v2" });
    Readable.fromWeb(answer.body).pipe(response);
  }

  return new Promise((resolve) => {
    const server = createServer((request, response) => handle(request, response).catch((error) => {
      console.error(error);
      response.destroy(error);
    })).listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

export async function streams({ basin, issueTokens }) {
  process.env.TRIGGER_API_URL = await serve(basin, issueTokens);
  const { all, streams, writeStreams } = await import("../trigger/setup.mjs");
  writeStreams();
  const run = `run_${Date.now()}`;
  const early = all(await streams.read(run, "log", { timeoutInSeconds: 5 })); // Before there is such a stream.
  const { waitUntilComplete } = streams.pipe("log", (async function* () { for (let i = 0; i < 20; i++) yield { i }; })(), { target: run });
  const completed = await waitUntilComplete();
  await streams.append("log", "by append", { target: run });
  return {
    completed,
    read: await all(await streams.read(run, "log", { timeoutInSeconds: 1 })),
    behind: await all(await streams.read(run, "log", { timeoutInSeconds: 1, startIndex: 18 })),
    early: await early,
  };
}
