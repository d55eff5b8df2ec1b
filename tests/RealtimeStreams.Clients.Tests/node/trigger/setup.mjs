// What the documentation tells users to copy (samples/trigger), put there by NodePackages.cs.
import { writeStreams, enterRun } from "../node_modules/.realtimestreams/trigger/realtime-streams.mjs";

export { writeStreams, enterRun };
export { auth, metadata, runs, streams, tasks } from "@trigger.dev/sdk";

/** Reads to the end of the stream. */
export async function all(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** What an error shows of itself, and after how many milliseconds it came. */
export async function caught(action) {
  const began = performance.now();
  try {
    return { value: (await action()) ?? null, milliseconds: performance.now() - began };
  } catch (error) {
    return { error: String(error?.message ?? error), name: error?.name, kind: error?.constructor?.name, status: error?.status, milliseconds: performance.now() - began };
  }
}
