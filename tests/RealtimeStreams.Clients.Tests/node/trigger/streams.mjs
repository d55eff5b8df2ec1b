// Writing and reading with streams.*, as the SDK's users do it.
import { all, caught, enterRun, metadata, streams, writeStreams } from "./setup.mjs";

writeStreams();

/** Chunks of every kind that JSON knows, and text that is hard to carry. */
export const kinds = [
  "text", "", "äöü 漢字 🚀", "two\nlines\r\n", '{"looks":"like JSON"}', "quote \" backslash \\ nul \u0000 separator \u2028",
  0, -1.5, 1e21, true, false, null, [], {}, [1, [2, [3]]], { n: 1, deep: { list: [{ text: "ä\n" }] }, data: "d", id: "i" },
];

export async function append({ run, texts }) {
  for (const text of texts) await streams.append("log", text, { target: run });
  return await all(await streams.read(run, "log", { timeoutInSeconds: 1 }));
}

export async function pipe({ run }) {
  async function* source() {
    yield* kinds;
  }
  const { stream, waitUntilComplete } = streams.pipe("log", source(), { target: run });
  const here = await all(stream);
  const completed = await waitUntilComplete();
  return { sent: kinds, here, completed, read: await all(await streams.read(run, "log", { timeoutInSeconds: 1 })) };
}

export async function writer({ run }) {
  const numbers = (name, count) => new ReadableStream({
    async start(controller) {
      for (let i = 0; i < count; i++) {
        controller.enqueue({ name, i });
        if (i % 7 === 0) await new Promise(setImmediate);
      }
      controller.close();
    },
  });
  const { waitUntilComplete } = streams.writer("log", {
    target: run,
    execute: async ({ write, merge }) => {
      write({ name: "first", i: 0 });
      merge(numbers("a", 50));
      merge(numbers("b", 50));
      write({ name: "second", i: 0 });
    },
  });
  await waitUntilComplete();
  return await all(await streams.read(run, "log", { timeoutInSeconds: 1 }));
}

export async function define({ run }) {
  const steps = streams.define({ id: "steps" });
  await steps.append({ step: 0 }, { target: run });
  await steps.pipe((async function* () { yield { step: 1 }; yield { step: 2 }; })(), { target: run }).waitUntilComplete();
  await steps.writer({ target: run, execute: ({ write }) => write({ step: 3 }) }).waitUntilComplete();
  return await all(await steps.read(run, { timeoutInSeconds: 1 }));
}

export async function byDefault({ run }) {
  enterRun({ id: run });
  await streams.append("one");
  await streams.pipe((async function* () { yield "two"; })()).waitUntilComplete();
  await streams.writer({ execute: ({ write }) => write("three") }).waitUntilComplete();
  return await all(await streams.read(run, { timeoutInSeconds: 1 }));
}

export async function targets({ self, parent, root, other }) {
  enterRun({ id: self, parentId: parent, rootId: root });
  const one = async function* (value) { yield value; };
  for (const target of [undefined, "self", "parent", "root", other]) {
    const options = target ? { target } : undefined;
    await streams.pipe("log", one(`pipe ${target ?? "none"}`), options).waitUntilComplete();
    await streams.append("log", `append ${target ?? "none"}`, options);
  }
}

export const read = async ({ run, key = "log", options }) => {
  const began = performance.now();
  const chunks = await all(await streams.read(run, key, options));
  return { chunks, milliseconds: performance.now() - began };
};

/** Reads until told to stop; says "read" with each chunk. */
export async function follow({ run, key = "log", options }, test) {
  const began = performance.now();
  const stream = await streams.read(run, key, options);
  await test.say("open");
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
    await test.say("read", chunk);
  }
  return { chunks, milliseconds: performance.now() - began };
}

export async function burst({ run, count }) {
  const source = new ReadableStream({
    start(controller) {
      for (let i = 0; i < count; i++) controller.enqueue({ i, text: `chunk ${i}` });
      controller.close();
    },
  });
  const { waitUntilComplete } = streams.pipe("log", source, { target: run });
  const completed = await waitUntilComplete();
  const seen = [];
  for await (const { i } of await streams.read(run, "log", { timeoutInSeconds: 1 })) seen.push(i);
  return { completed, read: seen.length, inOrder: seen.every((i, index) => i === index) };
}

/** What every way of writing answers for a run, and how long it takes. */
export async function refusals({ run }, test) {
  const pipe = async () => await streams.pipe("log", (async function* () { yield "x"; })(), { target: run }).waitUntilComplete();
  const commands = streams.input({ id: "commands" });
  return {
    pipe: await caught(pipe),
    append: await caught(() => streams.append("log", "x", { target: run })),
    send: await caught(() => commands.send(run, "x")),
    read: await caught(async () => all(await streams.read(run, "nothing", { timeoutInSeconds: 1 }))),
    rejections: test.rejections,
  };
}

/** Two processes' worth of pipes at once into one stream. */
export async function together({ run, pipes, count }) {
  const source = async function* (name) {
    for (let i = 0; i < count; i++) {
      yield `${name}:${i}`;
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all(Array.from({ length: pipes }, (_, p) => streams.pipe("log", source(`p${p}`), { target: run }).waitUntilComplete()));
  return await all(await streams.read(run, "log", { timeoutInSeconds: 1 }));
}

/** What code that was written for metadata.stream() does before it is migrated, and after. */
export async function migrate({ run }) {
  enterRun({ id: run });
  const source = async function* (value) { yield { value }; };
  const here = await all(await metadata.stream("log", source("before")));
  // What was yielded here need not have been sent yet, and metadata.stream() has nothing to wait for that.
  for await (const _ of await streams.read(run, "log", { timeoutInSeconds: 30 })) break;
  const stream = streams.define({ id: "log" });
  await stream.pipe(source("after")).waitUntilComplete();
  return { here, read: await all(await stream.read(run, { timeoutInSeconds: 1 })) };
}
