/** Where the values of secrets come from, and where those that are made here go. */
import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { parseEnv } from "node:util";
import { git } from "./checkout.ts";
import {
  type Config,
  UsageError,
  type Variables,
  appRoot,
  misuse,
  refusal,
  secretsOf,
} from "./config.ts";
import { type Secret, type Wish } from "./view.ts";

/** GitHub's own limit. */
const LARGEST_SECRET = 48 * 1024;
/** Secrets that nobody has to think up. */
const GENERATED = ["ALCHEMY_STATE_TOKEN", "ALCHEMY_PASSWORD"];

/** What gives the value of a secret. */
export interface Sources {
  env: Variables;
  /** What standard input held. */
  input: Variables;
  /** What .env.<environment> holds. */
  file: (profile: string) => Variables;
  /** Whether a value may be made here, if there is none. */
  makes: (secret: Secret) => boolean;
  /** Asks; undefined where nobody is there to answer. */
  ask: ((secret: Secret) => Promise<string>) | undefined;
}

/** A new state token or password also has to reach Cloudflare, so one that is renewed is thought up by a person. */
export const isMade = ({ name }: Secret, { renew }: Wish): boolean =>
  GENERATED.includes(name) && !renew.includes(name);

/** The variable that gives a secret of one environment: STAGING_CLOUDFLARE_API_TOKEN. */
const variableOf = ({ profile, name }: Secret): string =>
  `${profile.toUpperCase().replaceAll("-", "_")}_${name}`;

/**
 * The values of some secrets, all of them at hand before anything is changed.
 *
 * @throws UsageError naming every secret that has no value, never a value
 */
export async function valuesOf(
  secrets: readonly Secret[],
  { env, input, file, makes, ask }: Sources,
): Promise<{ values: Map<Secret, string>; made: Secret[] }> {
  const values = new Map<Secret, string>();
  const given = ({ profile, name }: Secret) => {
    const variable = variableOf({ profile, name });
    return input[variable] || env[variable] || file(profile)[name];
  };
  const lacking = secrets.filter((secret) => !given(secret));
  const made = lacking.filter(makes);
  const missing = lacking.filter((secret) => !made.includes(secret));
  if (missing.length > 0 && ask === undefined) {
    const files = missing
      .map(({ profile, name }) => `${name} into .env.${profile}`)
      .join(", ");
    throw misuse`no value for ${missing.map(variableOf).join(", ")}: set the variable, write ${files}, or use --stdin`;
  }
  for (const secret of secrets) {
    const random = made.includes(secret)
      ? randomBytes(32).toString("hex")
      : undefined;
    const value = given(secret) || random || (await ask?.(secret)) || "";
    if (Buffer.byteLength(value) > LARGEST_SECRET)
      throw misuse`${variableOf(secret)} is longer than the 48 KB that GitHub takes`;
    values.set(secret, value);
  }
  return { values, made };
}

/** Names the environments whose Cloudflare token is the same one: the first could deploy the others. */
export function sharedTokens(values: ReadonlyMap<Secret, string>) {
  const owners = new Map<string, string>();
  for (const [{ profile, name }, value] of values) {
    if (name !== "CLOUDFLARE_API_TOKEN") continue;
    const owner = owners.get(value);
    if (owner !== undefined) {
      return `${owner} and ${profile} get the same CLOUDFLARE_API_TOKEN: whoever deploys ${owner} can deploy ${profile} without approval`;
    }
    owners.set(value, profile);
  }
  return undefined;
}

/** Writes made secrets into .env.<environment>, readable by its owner alone. */
export function keep({ profile, name }: Secret, value: string): void {
  const path = join(appRoot, `.env.${profile}`);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  appendFileSync(path, `${gap}${name}=${value}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
}

/** Refuses to keep secrets where git would see them. */
export function checkIgnored({ profile }: Secret): void {
  const file = `.env.${profile}`;
  if (git("rev-parse", "--git-dir") === undefined) return;
  if (git("check-ignore", file) !== undefined) return;
  throw refusal`git does not ignore ${file}: add it to .gitignore first. Nothing was changed.`;
}

/** What standard input says, with no line of it repeated in an error: a slip could be a secret. */
export async function readInput({ profiles }: Config): Promise<Variables> {
  const input = parseEnv(await Bun.stdin.text());
  const known = Object.entries(profiles).flatMap(([profile, rules]) =>
    secretsOf(rules).map((name) => variableOf({ profile, name })),
  );
  const names = Object.keys(input);
  const unknown = names.some((name) => !known.includes(name));
  if (names.length > 0 && !unknown) return input;
  throw new UsageError(
    unknown
      ? `standard input has a name that is not one of: ${known.join(", ")}`
      : `standard input holds no line NAME=value; names: ${known.join(", ")}`,
  );
}

/** A question at the terminal. @throws Refusal when it is left without an answer */
export async function question(text: string, hidden: boolean): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: process.stdin,
    output: hidden ? silent : process.stdout,
    terminal: true,
  });
  // From here on the terminal echoes nothing. Readline clears its line, so it writes the question itself where it writes.
  if (hidden) process.stdout.write(text);
  const left = new Promise<undefined>((resolve) => {
    terminal.once("close", () => resolve(undefined));
    terminal.once("SIGINT", () => terminal.close());
  });
  const asked = terminal.question(hidden ? "" : text);
  const answer = await Promise.race([asked, left]);
  terminal.close();
  if (hidden || answer === undefined) process.stdout.write("\n");
  if (answer === undefined) throw refusal`Nothing was changed.`;
  return answer.trim();
}

export async function askHidden({ profile, name }: Secret): Promise<string> {
  for (;;) {
    const value = await question(`${name} of ${profile} (not shown): `, true);
    if (value) return value;
    console.log("It must not be empty; Ctrl-C changes nothing.");
  }
}

/** GitHub takes secrets only in a box that its own key opens. */
export async function seal(
  { key, key_id }: { key: string; key_id: string },
  value: string,
) {
  const sodium = await libsodium();
  const { ORIGINAL } = sodium.base64_variants;
  const box = sodium.crypto_box_seal(value, sodium.from_base64(key, ORIGINAL));
  return { encrypted_value: sodium.to_base64(box, ORIGINAL), key_id };
}

/** What seals a secret. @throws UsageError before `bun install` */
export async function libsodium() {
  const { default: sodium } = await import("libsodium-wrappers").catch(() => {
    throw misuse`sealing a secret needs \`bun install\` first`;
  });
  await sodium.ready;
  return sodium;
}
