// Scenarios about the harness itself.
export const echo = async (parameters) => ({ ...parameters, environment: process.env.TRIGGER_API_URL });

export async function conversation(_, test) {
  console.log("on the error output");
  return { heard: await test.ask("ready", 1) };
}

export async function fail() {
  console.error("what the package printed");
  throw new Error("what went wrong");
}

export const hang = () => new Promise(() => setInterval(() => {}, 1000));

/** The native API, without any client: the server that the other scenarios talk to is there. */
export async function append({ path }) {
  const answer = await fetch(process.env.TRIGGER_API_URL + path, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.TRIGGER_SECRET_KEY}`, "content-type": "application/json" },
    body: '{"from":"node"}',
  });
  return { status: answer.status, receipt: await answer.json() };
}

/** The versions that are really installed. */
export async function versions() {
  const { readFile } = await import("node:fs/promises");
  const of = async (name) => JSON.parse(await readFile(new URL(`./node_modules/${name}/package.json`, import.meta.url))).version;
  const names = ["@trigger.dev/sdk", "@trigger.dev/core", "@trigger.dev/react-hooks", "s2-0.25", "s2-0.27"];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await of(name)])));
}
