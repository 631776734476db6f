/** The part of the GitHub CLI that a printed script uses: the same words, the same exits, the same messages. */
import { raw } from "jq-wasm";
import sealedbox from "tweetnacl-sealedbox-js";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    method: { type: "string" },
    input: { type: "string" },
    jq: { type: "string" },
    silent: { type: "boolean", default: false },
    "raw-field": { type: "string", short: "f", multiple: true, default: [] },
    env: { type: "string" },
    repo: { type: "string" },
    hostname: { type: "string" },
  },
});
const host = process.env.GH_HOST ?? "github.com";
const root =
  host === "github.com" ? "https://api.github.com" : `https://${host}/api/v3`;

/** What is wrong with a request, as gh says it. */
function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

async function send(method: string, path: string, body?: string) {
  const response = await fetch(`${root}/${path}`, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `token ${process.env.GH_TOKEN}`,
      "content-type": "application/json; charset=utf-8",
    },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, text: await response.text() };
}

async function api(path: string): Promise<void> {
  const fields = values["raw-field"].map((field) => field.split(/=(.*)/s));
  const body =
    values.input === "-"
      ? await Bun.stdin.text()
      : fields.length > 0
        ? JSON.stringify(Object.fromEntries(fields))
        : undefined;
  const method = values.method ?? (body === undefined ? "GET" : "POST");
  const { status, text } = await send(method, path, body);
  if (status >= 400) {
    if (!values.silent) process.stdout.write(text);
    const { message } = JSON.parse(text) as { message: string };
    fail(`gh: ${message} (HTTP ${status})`);
  }
  if (values.silent) return;
  const out =
    values.jq === undefined ? text : await raw(text, values.jq, ["-r"]);
  if (out !== "") console.log(out.trimEnd());
}

async function setSecret(name: string): Promise<void> {
  const path = `repos/${values.repo}/environments/${values.env}/secrets`;
  const value = await Bun.stdin.bytes();
  const { text } = await send("GET", `${path}/public-key`);
  const { key, key_id } = JSON.parse(text) as Record<string, string>;
  const box = sealedbox.seal(value, Buffer.from(key ?? "", "base64"));
  const encrypted_value = Buffer.from(box).toString("base64");
  const body = JSON.stringify({ encrypted_value, key_id });
  const { status, text: said } = await send("PUT", `${path}/${name}`, body);
  if (status >= 400) fail(`failed to set secret "${name}": HTTP ${status}`);
  // As gh does: what GitHub makes, it describes.
  if (status === 201) JSON.parse(said);
}

const [first, second, third] = positionals;
if (first === "api" && second) await api(second);
else if (first === "secret" && second === "set" && third) {
  await setSecret(third);
} else if (first === "auth" && second === "token") {
  if (!process.env.GH_STAND_IN_TOKEN) fail("no oauth token");
  console.log(process.env.GH_STAND_IN_TOKEN);
} else fail(`unknown command: ${positionals.join(" ")}`);
