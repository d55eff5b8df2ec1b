// A web page for React to render into: happy-dom, with its fetch, which asks for permission across origins as a browser does.
import { Window } from "happy-dom";

const window = new Window({ url: process.env.PAGE ?? "http://page.example/" });
export const seen = [];

// Seen is what goes through the page's fetch; preflights are the page's own and not seen here, but a missing permission fails the call.
const fetchOfPage = window.fetch.bind(window);
window.fetch = (input, init) => {
  seen.push({ url: String(input?.url ?? input), headers: Object.fromEntries(new window.Headers(init?.headers ?? {})) });
  return fetchOfPage(input, init);
};

for (const name of ["document", "HTMLElement", "Element", "Node", "HTMLIFrameElement", "location", "navigator", "fetch", "Headers", "Request", "Response", "AbortController", "AbortSignal"])
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
Object.defineProperty(globalThis, "window", { value: window, configurable: true, writable: true });

const { createElement } = await import("react");
const { createRoot } = await import("react-dom/client");

/** Renders a component that calls the hook, and gives every state to `watch`. Returns what removes it again. */
export function render(useHook, watch) {
  const container = window.document.createElement("div");
  window.document.body.appendChild(container);
  const root = createRoot(container);
  function Component() {
    const state = useHook();
    watch(state);
    return createElement("p", null, `${state.parts?.length ?? 0} parts`);
  }
  root.render(createElement(Component));
  return { text: () => container.textContent, unmount: () => root.unmount() };
}

/** Renders until the state satisfies the condition, and returns that state. */
export function until(useHook, condition, milliseconds = 20_000) {
  return new Promise((resolve, reject) => {
    let last;
    let done = false;
    const limit = setTimeout(() => reject(new Error(`After ${milliseconds} ms the hook was at ${JSON.stringify({ ...last, error: last?.error?.message })}`)), milliseconds);
    const page = render(useHook, (state) => {
      last = state;
      if (done || !condition(state)) return;
      done = true;
      clearTimeout(limit);
      setTimeout(() => resolve({ ...state, text: page.text(), unmount: page.unmount }), 20);
    });
  });
}
