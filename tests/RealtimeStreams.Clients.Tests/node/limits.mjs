// Clients that send more than they may.
import { streams, writeStreams } from "./trigger/setup.mjs";
import { open } from "./s2/setup.mjs";

/** Counts the answers that say "too much". The clients see them as they are. */
function countRefusals() {
  const counted = { refused: 0 };
  const real = globalThis.fetch;
  globalThis.fetch = async (...args) => {
    const answer = await real(...args);
    if (answer.status === 429) counted.refused++;
    return answer;
  };
  return counted;
}

/** One append after the other with Trigger's SDK, as fast as it goes. */
export async function triggerAppends({ run, count }) {
  const counted = countRefusals();
  writeStreams();
  for (let i = 0; i < count; i++) await streams.append("log", `${i}`, { target: run });
  return counted;
}

/** Pipes with Trigger's SDK. */
export async function triggerPipe({ run, count }) {
  const counted = countRefusals();
  writeStreams();
  const source = async function* () {
    for (let i = 0; i < count; i++) yield { i };
  };
  await streams.pipe("log", source(), { target: run }).waitUntilComplete();
  return counted;
}

/** Reads with Trigger's SDK; says when it has been refused for the first time. */
export async function triggerRead({ run, count }, test) {
  const real = globalThis.fetch;
  let told = false;
  globalThis.fetch = async (...args) => {
    const answer = await real(...args);
    if (answer.status === 429 && !told) {
      told = true;
      await test.say("refused");
    }
    return answer;
  };
  const chunks = [];
  for await (const { i } of await streams.read(run, "log", { timeoutInSeconds: 60 })) {
    chunks.push(i);
    if (chunks.length === count) break;
  }
  return chunks;
}

/** One append after the other with S2's client, as fast as it goes. */
export async function s2Appends({ version, basin, name, count }) {
  const counted = countRefusals();
  const { basin: there, batch } = await open({ version, basin });
  const stream = there.stream(name, { forceTransport: "fetch" });
  for (let i = 0; i < count; i++) await stream.append(batch([`{"i":${i}}`]));
  return counted;
}
