// useRealtimeStream in a page.
import { seen, until } from "./page.mjs";
import { useRealtimeStream } from "@trigger.dev/react-hooks";

const baseURL = process.env.TRIGGER_API_URL;

const describe = ({ error }) => ({ error: String(error?.message ?? error), kind: error?.constructor?.name, status: error?.status });

/** Parts as they come, until there are so many. */
export async function parts({ run, key, accessToken, count, options }, test) {
  const data = [];
  const state = await until(
    () => useRealtimeStream(run, key, { accessToken, baseURL, onData: (part) => { data.push(part); test.say("data", part); }, ...options }),
    ({ parts, error }) => error || parts.length >= count);
  if (state.error) throw state.error;
  return { parts: state.parts, lastEventId: state.lastEventId, data, text: state.text, requests: seen };
}

/** The forms in which the hook can be called. */
export async function forms({ run, accessToken }) {
  const options = { accessToken, baseURL };
  const defined = await until(() => useRealtimeStream({ id: "log" }, run, options), ({ parts, error }) => error || parts.length >= 2);
  const byDefault = await until(() => useRealtimeStream(run, options), ({ parts, error }) => error || parts.length >= 1);
  return { defined: defined.parts, byDefault: byDefault.parts, errors: [defined.error, byDefault.error].filter(Boolean).map(String) };
}

/** The error that a page is shown. */
export async function error({ run, accessToken }) {
  const began = performance.now();
  const state = await until(() => useRealtimeStream(run, "log", { accessToken, baseURL }), ({ error }) => error);
  return { ...describe(state), requests: seen.length, milliseconds: performance.now() - began };
}

/** A page that is left and comes back under the same id. */
export async function comesBack({ run, accessToken, first, all }, test) {
  const useHook = () => useRealtimeStream(run, "log", { accessToken, baseURL, id: "same" });
  const before = await until(useHook, ({ parts }) => parts.length >= first);
  before.unmount();
  await test.ask("left");
  const after = await until(useHook, ({ parts }) => parts.length >= all);
  return { parts: after.parts, requests: seen };
}
