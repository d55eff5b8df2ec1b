// The samples as users run them: programs of their own, which end by themselves.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export async function tour({ folder }) {
  const script = fileURLToPath(new URL(`./node_modules/.realtimestreams/${folder}/tour.mjs`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 });
  return stdout.trimEnd().split("\n");
}
