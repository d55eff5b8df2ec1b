// A run, a stream in it, a page's token, and the end: Trigger.dev's SDK against RealtimeStreams.
// TRIGGER_API_URL=http://127.0.0.1:5217 TRIGGER_SECRET_KEY=$KEY node tour.mjs
import { auth, runs, streams, tasks } from "@trigger.dev/sdk";
import { enterRun, writeStreams } from "./realtime-streams.mjs";

const words = streams.define({ id: "words" }); // Shared by whoever writes and whoever reads.

// Somebody triggers a task. The handle's token lets a page follow this run and no other.
const handle = await tasks.trigger("tour", { question: "What colour is the sky?" });
console.log(`run ${handle.id}`);

// The reader: here with the page's token; a page uses useRealtimeStream(words, handle.id, { accessToken, baseURL }).
const reading = auth.withAuth({ accessToken: handle.publicAccessToken }, async () => {
  for await (const word of await words.read(handle.id, { timeoutInSeconds: 60 })) console.log(`read: ${JSON.stringify(word)}`);
  console.log("the stream has ended");
});

// The worker: any process, also in another language. It claims what was triggered, and nobody else gets it.
const claim = await post("/runs/claim", { tasks: ["tour"], worker: "tour.mjs", waitInSeconds: 20 });
console.log(`claimed, attempt ${claim.attempt}: ${claim.payload.question}`);
writeStreams();
enterRun({ id: claim.id, taskId: claim.taskId }); // From here on streams.* work as in a task.
async function* answer() {
  for (const word of ["The", "sky", "is", "blue"]) yield { word };
}
await words.pipe(answer()).waitUntilComplete();
await streams.append("log", "done");

// The end of the run ends its streams, and with them the reader: at once, not after its 60 seconds.
await post(`/runs/${claim.id}/complete`, { outcome: "completed", output: { colour: "blue" }, worker: "tour.mjs", attempt: claim.attempt });
await reading;
const { status, output } = await runs.retrieve(handle.id);
console.log(`status ${status}, output ${JSON.stringify(output)}`);
process.exit(); // The SDK's writer keeps its connection open, as in a worker, which goes on to the next run.

/** The native API (docs/native-api.md): Trigger.dev's SDK has no calls for workers. */
async function post(path, body) {
  const answer = await fetch(`${process.env.TRIGGER_API_URL}/api/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.TRIGGER_SECRET_KEY}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return await answer.json();
}
