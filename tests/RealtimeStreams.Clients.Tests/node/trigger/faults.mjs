// The network fails in the middle.
import { all, caught, streams, writeStreams } from "./setup.mjs";

writeStreams();

/** Pipes numbered chunks and stops at each mark until the test says to go on. */
export async function pipe({ run, count, marks }, test) {
  const source = async function* () {
    for (let i = 0; i < count; i++) {
      if (marks.includes(i)) await test.ask("mark", i);
      yield { i };
    }
  };
  const { waitUntilComplete } = streams.pipe("log", source(), { target: run });
  const outcome = await caught(waitUntilComplete);
  return { outcome, rejections: test.rejections };
}

/** Reads, says each chunk, and goes on until it has seen the last one. */
export async function read({ run, count }, test) {
  const chunks = [];
  for await (const { i } of await streams.read(run, "log", { timeoutInSeconds: 60 })) {
    chunks.push(i);
    await test.say("read", i);
    if (chunks.length === count) break;
  }
  return chunks;
}

/** One append whose first answer the test swallows. */
export const append = ({ run, text }) => caught(() => streams.append("log", text, { target: run }));

/** One send to an input stream whose first answer the test swallows. */
export const send = ({ run, data }) => caught(() => streams.input({ id: "commands" }).send(run, data));

/** A PUT whose first answer the test swallows, then one chunk. */
export const define = ({ run, value }) => caught(() => streams.define({ id: "log" }).append(value, { target: run }));

export const readAll = async ({ run }) => await all(await streams.read(run, "log", { timeoutInSeconds: 1 }));
