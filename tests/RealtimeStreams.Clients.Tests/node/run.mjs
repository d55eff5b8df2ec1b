// Runs one scenario: node run.mjs <script> <name>. See Scenario.cs for what goes over the standard streams.
import { createInterface } from "node:readline";

const [script, name] = process.argv.slice(2);

// The output belongs to the protocol; whatever a package prints goes where errors go.
console.log = console.info = console.debug = console.warn = console.error;

// A failing pipe of Trigger's SDK leaves a rejection behind that nobody can catch; it would end the process.
const rejections = [];
process.on("unhandledRejection", (reason) => {
  rejections.push(String(reason?.message ?? reason));
  console.error("unhandled:", reason);
});

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function told() {
  const { value, done } = await lines.next();
  if (done) throw new Error("The test has gone.");
  return JSON.parse(value);
}

function write(message) {
  const text = JSON.stringify(message, (_, value) => {
    if (typeof value === "bigint") return Number(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    return value;
  });
  return new Promise((resolve) => process.stdout.write(text + "\n", resolve));
}

const test = {
  rejections,
  /** Says something to the test, which may wait for it. */
  say: (what, value = null) => write({ say: what, value }),
  /** Waits until the test says to go on. */
  told,
  /** Says it and waits. */
  ask: async (what, value = null) => {
    await write({ say: what, value });
    return await told();
  },
};

let code = 0;
try {
  const parameters = await told();
  const scenario = (await import(`./${script}`))[name];
  if (typeof scenario !== "function") throw new Error(`${script} has no scenario '${name}'.`);
  await write({ result: (await scenario(parameters, test)) ?? null });
} catch (error) {
  code = 1;
  await write({ failed: String(error?.stack ?? error) + (error?.cause ? `\ncaused by: ${error.cause?.stack ?? error.cause}` : "") });
}
process.exit(code); // Not by itself: the packages keep sockets and timers.
