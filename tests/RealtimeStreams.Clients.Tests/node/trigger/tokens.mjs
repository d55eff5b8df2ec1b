// Public access tokens: signed in the SDK with the secret key, checked by the server.
import { createHmac } from "node:crypto";
import { all, auth, caught, streams } from "./setup.mjs";

const readWith = (token, run, options = { timeoutInSeconds: 1 }) =>
  auth.withAuth({ accessToken: token }, () => caught(async () => all(await streams.read(run, "log", options))));

const tokenFor = (scopes, options = {}) => auth.createPublicToken({ scopes, ...options });

export async function create({ run, tag }) {
  const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  const byRun = await tokenFor({ read: { runs: [run] } });
  const byTag = await tokenFor({ read: { tags: [tag] } });
  return { byRun, claims: claims(byRun), readByRun: await readWith(byRun, run), readByTag: await readWith(byTag, run), readByAll: await readWith(await tokenFor({ read: { runs: true } }), run) };
}

export async function refused({ run, other }) {
  const token = await tokenFor({ read: { runs: [run] } });
  const [header, payload] = token.split(".");
  const signed = (head, body, key) => {
    const text = [head, body].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
  };
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  const secret = process.env.TRIGGER_SECRET_KEY;
  const now = Math.floor(Date.now() / 1000);
  return {
    wrongRun: await readWith(token, other),
    wrongAction: await readWith(await tokenFor({ write: { inputStreams: run } }), run),
    noScopes: await readWith(await tokenFor({}), run),
    expired: await readWith(await tokenFor({ read: { runs: [run] } }, { expirationTime: now - 60 }), run),
    forged: await readWith(signed({ alg: "HS256" }, claims, "another key"), run),
    changed: await readWith(`${header}.${Buffer.from(JSON.stringify({ ...claims, scopes: ["read:runs"] })).toString("base64url")}.${token.split(".")[2]}`, run),
    unsigned: await readWith(`${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.`, run),
    wrongAudience: await readWith(signed({ alg: "HS256" }, { ...claims, aud: "https://elsewhere.example" }, secret), run),
    wrongIssuer: await readWith(signed({ alg: "HS256" }, { ...claims, iss: "https://elsewhere.example" }, secret), run),
    otherEnvironment: await readWith(signed({ alg: "HS256" }, { ...claims, sub: "nobody" }, secret), run),
    unknownRun: await readWith(await tokenFor({ read: { runs: ["run-of-nobody"] } }), "run-of-nobody"),
    noToken: await readWith("not-a-token", run),
    controlOfTheSame: await readWith(signed({ alg: "HS256" }, claims, secret), run),
  };
}

/** A public token never writes. */
export async function write({ run }) {
  const token = await tokenFor({ read: { runs: [run] }, write: { runs: [run] } });
  const send = (method, path, body) =>
    fetch(`${process.env.TRIGGER_API_URL}/realtime/v1/streams/${run}/${path}`, { method, body, headers: { authorization: `Bearer ${token}` } }).then((answer) => answer.status);
  return {
    put: await send("PUT", "self/log"),
    post: await send("POST", "self/log", '"x"\n'),
    head: await send("HEAD", "self/log"),
    append: await send("POST", "self/log/append", "x"),
    claims: (await fetch(`${process.env.TRIGGER_API_URL}/api/v1/auth/jwt/claims`, { method: "POST", headers: { authorization: `Bearer ${token}` } })).status,
  };
}

/** A token for input streams sends to its run and nothing else. */
export async function send({ run, other }) {
  const token = await tokenFor({ write: { inputStreams: run } });
  const commands = streams.input({ id: "commands" });
  const sendTo = (id) => auth.withAuth({ accessToken: token }, () => caught(() => commands.send(id, { stop: true })));
  return { own: await sendTo(run), other: await sendTo(other), read: await readWith(token, run) };
}

/** A token that reads one run. */
export const one = ({ run }) => tokenFor({ read: { runs: [run] } });
