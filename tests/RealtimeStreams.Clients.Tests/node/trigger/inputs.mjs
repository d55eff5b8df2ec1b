// Input streams: from outside to a run.
import { caught, enterRun, streams, writeStreams } from "./setup.mjs";

writeStreams();

const commands = streams.input({ id: "commands" });

export async function send({ run, values }) {
  for (const value of values) await commands.send(run, value);
}

/** Listens until it has heard so many. */
export async function on({ run, count }, test) {
  enterRun({ id: run });
  const heard = [];
  await new Promise((resolve) => {
    const listening = commands.on((data) => {
      heard.push(data);
      test.say("heard", data);
      if (heard.length === count) {
        listening.off();
        resolve();
      }
    });
    test.say("listening");
  });
  return heard;
}

export async function once({ run, timeoutMs }, test) {
  enterRun({ id: run });
  const waiting = commands.once({ timeoutMs });
  await test.say("listening");
  const first = await waiting;
  return { ok: first.ok, output: first.ok ? first.output : null, error: first.ok ? null : first.error.name };
}

/** An output stream of the same name is another stream. */
export async function sameName({ run }) {
  await commands.send(run, "in");
  await streams.append("commands", "out", { target: run });
  const read = [];
  for await (const chunk of await streams.read(run, "commands", { timeoutInSeconds: 1 })) read.push(chunk);
  return read;
}

export const onV1 = ({ run }) => {
  enterRun({ id: run, streamsVersion: "v1" });
  return caught(() => commands.on(() => {}));
};
