/** Makes GitHub's environments what alchemy.config.ts asks for, and says whether they still are; USAGE says how. */
import written from "../../alchemy.config.ts";
import {
  type Config,
  Refusal,
  misuse,
  readVariables,
  refusal,
} from "./config.ts";
import { type GitHub } from "./github.ts";
import { type Options, clientFor, optionsOf } from "./options.ts";
import { survey } from "./survey.ts";
import { reportError } from "./tell.ts";
import { validateConfig } from "./validate.ts";
import {
  askHidden,
  checkIgnored,
  isMade,
  keep,
  libsodium,
  question,
  readInput,
  sharedTokens,
  valuesOf,
} from "./values.ts";
import { type Change, type Setting, type State, type Survey } from "./view.ts";

// A config without `defineConfig` has wider types; validateConfig checks what they leave open.
const config = written as Config;
const { env, stdin } = process;

const USAGE = `bun run environments plan     says what apply would change
bun run environments apply    changes it, after a question; running it again is safe
bun run environments check    exits 1 when GitHub is not what alchemy.config.ts asks for

Who may deploy, for every environment but the first; alchemy.config.ts can say the same:
  --reviewer NAME              who may approve: a login, or organisation/team (repeat it for up to six)
  --prevent-self-review        whoever started a promotion cannot approve it (--no-prevent-self-review: they can)
  --wait-timer MINUTES         how long a promotion waits at least

plan and apply:
  --renew NAME                 write this secret again, though GitHub has one (repeatable)
apply:
  --stdin                      read secrets from standard input, in lines like STAGING_CLOUDFLARE_API_TOKEN=...
  --keep                       also write the tokens that are made here into .env.<environment>
  --yes                        do not ask
plan and check:
  --json                       for machines
all of them:
  --shared-account             environments share one Cloudflare account, and their tokens are limited: no note about it

Needs a token that may administer the repository: GITHUB_TOKEN, GH_TOKEN, or the GitHub CLI's (gh auth login).
Where GitHub's plan has no required reviewers: PROD_APPROVAL=none (docs/PROMOTION.md).`;

/** What a person reads. */
export function table(
  repository: string,
  settings: readonly Setting[],
  { profiles, suffix = "" }: Config,
): string {
  const rows = settings.filter((setting) => !isRemark(setting));
  const width = Math.max(...rows.map(({ name }) => name.length));
  const section = (environment: string | undefined, head: string) => {
    const own = rows.filter((row) => row.environment === environment);
    const lines = own.map((row) =>
      `  ${row.state.padEnd(7)}  ${row.name.padEnd(width)}  ${contrast(row)}`.trimEnd(),
    );
    return own.length > 0 ? [head, ...lines, ""] : [];
  };
  const environments = Object.entries(profiles).flatMap(([name, profile]) => {
    const { domain } = profile;
    const place = domain ? `https://${domain}` : "on workers.dev";
    return section(name + suffix, `${name}${suffix}, ${place}`);
  });
  return [
    `${repository}\n`,
    ...environments,
    ...section(undefined, "the repository"),
    ...settings
      .filter(isRemark)
      .map(({ state, name }) => `${state}: ${name}\n`),
  ].join("\n");
}

/** The lines below the table, in a sentence. */
const isRemark = ({ state }: Setting): boolean =>
  state === "problem" || state === "note";

function contrast({ state, now, wanted }: Setting): string {
  const words: Partial<Record<State, string>> = {
    hidden: "not visible to this token",
    differs: `${now} → ${wanted ?? "not set"}`,
    missing: `→ ${wanted}`,
  };
  return words[state] ?? now ?? "";
}

const isDrift = ({ state }: Setting): boolean =>
  !["ok", "hidden", "note"].includes(state);

const count = (changes: readonly unknown[]): string =>
  `${changes.length} change${changes.length === 1 ? "" : "s"}`;

/** The whole of a check for a program, of this version of its form. */
const json = (repository: string, settings: readonly Setting[]): string =>
  JSON.stringify(
    {
      version: 1,
      repository,
      ok: !settings.some(isDrift),
      settings: settings.map((setting) => ({
        ...setting,
        environment: setting.environment ?? null,
      })),
    },
    null,
    2,
  );

/** Values that no error may repeat. */
const confidential = new Set<string>();

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const options = optionsOf(argv, env, validateConfig(config));
  if (options.stdin && stdin.isTTY)
    throw misuse`--stdin is for a pipe or a file, not for a terminal`;
  const { github, token } = clientFor(config, env);
  confidential.add(token);
  const found = await survey(github, config, options);
  const { settings } = found;
  const { repository } = github;
  const show = options.json ? json : table;
  console.log(show(repository, settings, config));
  if (options.command === "apply") {
    await apply(github, options, found);
    return 0;
  }
  if (!options.json) console.log(verdict(found, applyLine(argv, options)));
  return options.command === "check" && settings.some(isDrift) ? 1 : 0;
}

/** What a comparison comes to. */
function verdict({ settings, changes }: Survey, command: string): string {
  const hidden = settings.some(({ state }) => state === "hidden");
  const all = hidden ? "What this token may see is" : "All";
  if (!settings.some(isDrift)) return `${all} as alchemy.config.ts asks for.`;
  if (changes.length === 0) return "Nothing that apply can change.";
  return `${count(changes)} to make: ${command}`;
}

/** A word of a command line. */
const quoted = (text: string): string =>
  /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The command that makes what this one found. */
function applyLine(argv: readonly string[], { command }: Options): string {
  const unfit = [command, "--json", "--shared-account"];
  const words = argv.filter((word) => !unfit.includes(word)).map(quoted);
  return ["bun run environments apply", ...words].join(" ");
}

async function apply(
  github: GitHub,
  options: Options,
  { changes, obstacle }: Survey,
): Promise<void> {
  if (obstacle !== undefined) throw obstacle;
  if (changes.length === 0) return console.log("Nothing to change.");
  console.log(`${count(changes)} to make:`);
  for (const { title } of changes) console.log(`  ${title}`);
  await confirm(github, options);
  const { values, made } = await collect(options, changes);
  for (const { title, needs, fix } of changes) {
    const value = (needs && values.get(needs)) ?? "";
    if (needs && options.keep && made.includes(needs)) keep(needs, value);
    await fix(value).catch((error: unknown) => stopAt(title, error));
    console.log(`  done: ${title}`);
  }
  for (const { profile, name } of made) {
    console.log(
      options.keep
        ? `${name} of ${profile} was made and stands in .env.${profile}: store a copy in your password manager.`
        : `${name} of ${profile} was made; only GitHub has it. A laptop that deploys ${profile} needs it, too: docs/PROMOTION.md.`,
    );
  }
  await confirmApplied(github, options);
}

async function confirm({ repository }: GitHub, { yes }: Options) {
  if (yes) return;
  if (!stdin.isTTY)
    throw misuse`nobody is there to ask: add --yes. Nothing was changed.`;
  const answer = await question(`Change ${repository}? (y/N) `, false);
  if (!/^y(es)?$/i.test(answer)) throw refusal`Nothing was changed.`;
}

/** Everything that could be wrong with the values is found before the first change. */
async function collect(options: Options, changes: readonly Change[]) {
  const needed = changes.flatMap(({ needs }) => needs ?? []);
  if (needed.length > 0) await libsodium();
  const found = await valuesOf(needed, {
    env,
    input: options.stdin ? await readInput(config) : {},
    file: (profile) => readVariables(`.env.${profile}`),
    makes: (secret) => isMade(secret, options),
    ask: stdin.isTTY ? askHidden : undefined,
  });
  for (const value of found.values.values()) confidential.add(value);
  if (options.keep) found.made.forEach(checkIgnored);
  const shared = sharedTokens(found.values);
  if (shared !== undefined) console.warn(`note: ${shared}`);
  return found;
}

/** Says how far it came, and that repeating it is safe. */
function stopAt(title: string, error: unknown): never {
  if (error instanceof Refusal) {
    error.message = `${error.message}\nStopped at “${title}”. What was done before it stays; run the same command again to go on.`;
  }
  throw error;
}

/** Looks whether GitHub has become what was asked for. */
async function confirmApplied(github: GitHub, options: Options): Promise<void> {
  const { settings } = await survey(github, config, { ...options, renew: [] });
  const left = settings.filter(
    (setting) => isDrift(setting) && !isRemark(setting),
  );
  if (left.length > 0) {
    const names = left.map(({ environment, name }) =>
      `${environment ?? ""} ${name}`.trim(),
    );
    throw refusal`GitHub took every change, yet differs: ${names.join(", ")}. Run \`bun run environments plan\`.`;
  }
  for (const { name, state } of settings.filter(isRemark))
    console.warn(`${state}: ${name}`);
  console.log("Done: a push to main is deployed from now on.");
}

/** Takes what is confidential out of an error, wherever it came from. */
function redact(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  for (const secret of confidential) {
    error.message = error.message.replaceAll(secret, "***");
    if (error.stack) error.stack = error.stack.replaceAll(secret, "***");
  }
  return error;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.exitCode = reportError(redact(error));
  }
}
