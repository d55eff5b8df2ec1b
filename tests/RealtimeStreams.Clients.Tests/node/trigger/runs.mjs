// Triggering a task and following its run.
import { all, auth, caught, runs, streams, tasks, writeStreams } from "./setup.mjs";

writeStreams();

export async function trigger({ task, payload, options }) {
  const handle = await tasks.trigger(task, payload, options);
  const again = options?.idempotencyKey ? await tasks.trigger(task, payload, options) : null;
  const seen = await caught(() => auth.withAuth({ accessToken: handle.publicAccessToken }, () => runs.retrieve(handle.id)));
  return { handle, again, run: await runs.retrieve(handle.id), seenWithItsToken: seen };
}

export const retrieve = ({ run }) => caught(() => runs.retrieve(run));

/** Triggers, tells the test the run, and polls until it is done. */
export async function poll({ task, payload }, test) {
  const handle = await tasks.trigger(task, payload);
  await test.say("triggered", handle.id);
  const run = await runs.poll(handle.id, { pollIntervalMs: 200 });
  return run;
}

export async function subscribe({ task, payload }, test) {
  const handle = await tasks.trigger(task, payload);
  await test.say("triggered", handle.id);
  const statuses = [];
  let last;
  for await (const run of runs.subscribeToRun(handle.id)) {
    last = run;
    if (statuses.at(-1) !== run.status) {
      statuses.push(run.status);
      await test.say("status", run.status);
    }
  }
  return { statuses, last };
}

export async function withStreams({ task, payload, key, count }, test) {
  const handle = await tasks.trigger(task, payload);
  await test.say("triggered", handle.id);
  const chunks = [];
  const statuses = [];
  for await (const part of runs.subscribeToRun(handle.id).withStreams()) {
    if (part.type === "run") {
      if (statuses.at(-1) !== part.run.status) statuses.push(part.run.status);
      if (part.run.isCompleted && chunks.length >= count) break;
    } else if (part.type === key) chunks.push(part.chunk);
    if (chunks.length === count) await test.say("chunks", count);
  }
  return { chunks, statuses };
}

/** The token with which a page may follow the run of a handle. */
export async function readWithTriggerToken({ task, run }) {
  const handle = run ? { id: run } : await tasks.trigger(task, {});
  return handle.publicAccessToken;
}

/** Triggers, cancels as soon as the test says so, and follows the run to its end. */
export async function cancel({ task, token }, test) {
  const handle = await tasks.trigger(task, {});
  const given = await test.ask("triggered", handle.id);
  const cancelling = () => runs.cancel(handle.id);
  const answer = token ? await auth.withAuth({ accessToken: given }, cancelling) : await cancelling();
  const after = await runs.retrieve(handle.id);
  await test.say("cancelled", after.status);
  const statuses = [];
  for await (const run of runs.subscribeToRun(handle.id)) if (statuses.at(-1) !== run.status) statuses.push(run.status);
  const last = await runs.retrieve(handle.id);
  return { answer, again: await runs.cancel(handle.id), statuses, status: last.status, isCancelled: last.isCancelled };
}

export const cancelUnknown = ({ run }) => caught(() => runs.cancel(run));
