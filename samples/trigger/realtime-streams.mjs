// Copy this file into a project that uses @trigger.dev/sdk, and call writeStreams() once before the first write.
//
// Outside of Trigger.dev's own worker the published SDK has no writer: streams.pipe, .append and .writer return normally and send nothing.
// These are the two lines with which that worker registers one. Reading, tokens and input.send work without them.
import { apiClientManager, inputStreams, realtimeStreams, taskContext } from "@trigger.dev/core/v3";
import { StandardInputStreamManager, StandardRealtimeStreamsManager } from "@trigger.dev/core/v3/workers";

/** Lets this process write streams. Takes TRIGGER_API_URL and TRIGGER_SECRET_KEY, or what auth.configure() was given. */
export function writeStreams() {
  const client = apiClientManager.clientOrThrow();
  realtimeStreams.setGlobalManager(new StandardRealtimeStreamsManager(client, apiClientManager.baseURL));
  inputStreams.setGlobalManager(new StandardInputStreamManager(client, apiClientManager.baseURL));
}

/**
 * Says which run this process is working for, so that writes need no `target`, and "parent", "root" and input.on() are known.
 * @param {{ id: string, parentId?: string, rootId?: string, taskId?: string, streamsVersion?: "v1" | "v2" }} run
 */
export function enterRun({ id, parentId, rootId, taskId = "task", streamsVersion = "v2" }) {
  inputStreams.setRunId(id, streamsVersion);
  taskContext.setGlobalTaskContext({
    isWarmStart: false,
    worker: { id: "worker", contentHash: "", version: "1", engine: "V2" },
    ctx: {
      run: { id, parentTaskRunId: parentId, rootTaskRunId: rootId, tags: [], isTest: false, createdAt: new Date(), startedAt: new Date() },
      task: { id: taskId, filePath: "" },
      attempt: { number: 1, startedAt: new Date() },
      environment: { id: "", slug: "", type: "PRODUCTION" },
      organization: { id: "", slug: "", name: "" },
      project: { id: "", ref: "", slug: "", name: "" },
    },
  });
}
