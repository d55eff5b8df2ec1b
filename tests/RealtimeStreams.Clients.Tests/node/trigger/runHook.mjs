// useRealtimeRun and useRealtimeRunWithStreams in a page.
import { seen, until } from "./page.mjs";
import { useRealtimeRun, useRealtimeRunWithStreams } from "@trigger.dev/react-hooks";

const baseURL = process.env.TRIGGER_API_URL;

export async function run({ run, accessToken }, test) {
  let told;
  const state = await until(
    () => useRealtimeRun(run, { accessToken, baseURL }),
    ({ run, error }) => {
      if (run && run.status !== told) test.say("status", told = run.status);
      return error || run?.isCompleted;
    });
  if (state.error) throw state.error;
  return state.run;
}

export async function withStreams({ run, accessToken, key, count }, test) {
  let said = false;
  const state = await until(
    () => useRealtimeRunWithStreams(run, { accessToken, baseURL }),
    ({ run, streams, error }) => {
      const chunks = streams?.[key]?.length ?? 0;
      if (chunks >= count && !said) test.say("chunks", chunks, (said = true));
      return error || (run?.isCompleted && chunks >= count);
    });
  if (state.error) throw state.error;
  return { run: state.run, chunks: state.streams[key], requests: seen.length };
}
