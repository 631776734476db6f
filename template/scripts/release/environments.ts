{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/** Makes GitHub's environments what alchemy.config.ts asks for, and says whether they still are; USAGE says how. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { parseArgs, parseEnv } from "node:util";
import written from "../../alchemy.config.ts";
import {
  type Config,
  type Profile,
  Refusal,
  UsageError,
  type Variables,
  appRoot,
  checkRules,
  git,
  githubEnvironment,
  isPromoted,
  promotionVariable,
  readVariables,
  repositoryOf,
  validateConfig,
} from "./config.ts";
import { GitHub, GitHubError, branchesOf } from "./github.ts";
import { reportError } from "./main.ts";
import {
  type Change,
  GENERATED,
  type Secret,
  type Setting,
  type State,
  type Survey,
  type Wish,
  libsodium,
  secretsOf,
  survey,
} from "./protection.ts";

// A config without `defineConfig` has wider types; validateConfig checks what they leave open.
const config = written as Config;

const USAGE = `bun run {{script_prefix}}environments plan     says what apply would change
bun run {{script_prefix}}environments apply    changes it, after a question; running it again is safe
bun run {{script_prefix}}environments check    exits 1 when GitHub is not what alchemy.config.ts asks for

Who may deploy, for every environment but the first; alchemy.config.ts can say the same:
  --reviewer NAME              who may approve: a login, or organisation/team (repeat it for up to six)
  --prevent-self-review        whoever started a promotion cannot approve it (--no-prevent-self-review: they can)
  --wait-timer MINUTES         how long a promotion waits at least

plan and apply:
  --renew NAME                 write this secret again, though GitHub has one (repeatable)
  --print                      asks and changes nothing; prints the same as a script of GitHub CLI commands
apply:
  --stdin                      read secrets from standard input, in lines like STAGING_CLOUDFLARE_API_TOKEN=...
  --keep                       also write the tokens that are made here into .env.<environment>
  --yes                        do not ask
plan and check:
  --json                       for machines
all of them:
  --shared-account             it is fine that environments share one Cloudflare account: their tokens are limited

Needs a token that may administer the repository: GITHUB_TOKEN, GH_TOKEN, or the GitHub CLI's (gh auth login).
Where GitHub's plan has no required reviewers: PROD_APPROVAL=none (docs/PROMOTION.md).`;

// --- where values come from ------------------------------------------------------------------------------------------

/** GitHub's own limit. */
const LARGEST_SECRET = 48 * 1024;

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
const isMade = (name: string, { renew }: Wish): boolean =>
  GENERATED.includes(name) && !renew.includes(name);

/** The variable that gives a secret of one environment: STAGING_CLOUDFLARE_API_TOKEN. */
const variableOf = ({ profile, name }: Secret): string =>
  `${profile.toUpperCase().replaceAll("-", "_")}_${name}`;

/** All variables that can give a secret. */
const variablesOf = (configuration: Config): string[] =>
  Object.entries(configuration.profiles).flatMap(([profile, rules]) =>
    secretsOf(rules).map((name) => variableOf({ profile, name })),
  );

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
  const made: Secret[] = [];
  const missing: Secret[] = [];
  for (const secret of secrets) {
    const { profile, name } = secret;
    const variable = variableOf(secret);
    const given = input[variable] || env[variable] || file(profile)[name];
    if (given) {
      values.set(secret, given);
    } else if (makes(secret)) {
      values.set(secret, randomBytes(32).toString("hex"));
      made.push(secret);
    } else {
      missing.push(secret);
    }
  }
  if (missing.length > 0 && ask === undefined) {
    throw new UsageError(
      `no value for ${missing.map(variableOf).join(", ")}: set the variable, write ${missing.map(({ profile, name }) => `${name} into .env.${profile}`).join(", ")}, or use --stdin`,
    );
  }
  for (const secret of missing) {
    values.set(secret, (await ask?.(secret)) ?? "");
  }
  for (const [secret, value] of values) {
    if (Buffer.byteLength(value) > LARGEST_SECRET) {
      throw new UsageError(
        `${variableOf(secret)} is longer than the 48 KB that GitHub takes`,
      );
    }
  }
  return { values, made };
}

/** Names the environments whose Cloudflare token is the same one: the first could deploy the others. */
export function sharedTokens(
  values: ReadonlyMap<Secret, string>,
): string | undefined {
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
function keep(secret: Secret, value: string): void {
  const path = join(appRoot, `.env.${secret.profile}`);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  appendFileSync(path, `${gap}${secret.name}=${value}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
}

/** Refuses to keep secrets where git would see them. */
function checkIgnored(profile: string): void {
  const file = `.env.${profile}`;
  if (
    git("rev-parse", "--git-dir") !== undefined &&
    git("check-ignore", file) === undefined
  ) {
    throw new Refusal(
      `git does not ignore ${file}: add it to .gitignore first. Nothing was changed.`,
    );
  }
}

/** What standard input says, with no line of it repeated in an error: a slip could be a secret. */
async function readInput(configuration: Config): Promise<Variables> {
  const input = parseEnv(await Bun.stdin.text());
  const known = variablesOf(configuration);
  if (Object.keys(input).length === 0) {
    throw new UsageError(
      `standard input holds no line NAME=value; names: ${known.join(", ")}`,
    );
  }
  if (Object.keys(input).some((name) => !known.includes(name))) {
    throw new UsageError(
      `standard input holds a name that is none of: ${known.join(", ")}`,
    );
  }
  return input;
}

/** A question at the terminal. @throws Refusal when it is left without an answer */
async function question(text: string, hidden: boolean): Promise<string> {
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
  const answer = await Promise.race([
    terminal.question(hidden ? "" : text),
    left,
  ]);
  terminal.close();
  if (hidden || answer === undefined) process.stdout.write("\n");
  if (answer === undefined) throw new Refusal("Nothing was changed.");
  return answer.trim();
}

async function askHidden({ profile, name }: Secret): Promise<string> {
  for (;;) {
    const value = await question(`${name} of ${profile} (not shown): `, true);
    if (value) return value;
    console.log("It must not be empty; Ctrl-C changes nothing.");
  }
}

// --- the same as a script --------------------------------------------------------------------------------------------

/** A word of a shell script. */
const quoted = (text: string): string =>
  /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * What `apply` does, as commands of the GitHub CLI, for somebody who has one and not this app. It can be pasted: all of
 * it is one subshell, without comments, which some shells do not take at their prompt. It asks GitHub what is there, so
 * it can be run again. It holds no secret: each one comes from the environment, or the GitHub CLI asks for it.
 */
export function script(
  repository: string,
  apiUrl: string | undefined,
  configuration: Config,
  wish: Wish,
): string {
  const profiles = Object.entries(configuration.profiles);
  const promoted = profiles.filter(([name]) => isPromoted(configuration, name));
  const reviewersOf = (profile: Profile) =>
    wish.noApproval ? [] : (wish.rules.reviewers ?? profile.reviewers ?? []);
  const all = [
    ...new Set(promoted.flatMap(([, profile]) => reviewersOf(profile))),
  ];
  const secrets = profiles.flatMap(([profile, rules]) =>
    secretsOf(rules).map((name): Secret => ({ profile, name })),
  );
  const host = hostOf(apiUrl);
  const variable = promotionVariable(configuration);
  const lines = [
    "(",
    "set -eu",
    ...(host === "github.com" ? [] : [`export GH_HOST=${quoted(host)}`]),
    `repository=${quoted(repository)}`,
    'api="repos/$repository"',
    ...PRELUDE,
    ...all.map((name, at) => {
      const [owner, team] = name.split("/");
      const path = team ? `orgs/${owner}/teams/${team}` : `users/${owner}`;
      return `reviewer_${at}=$(gh api ${quoted(path)} --jq .id)`;
    }),
    ...secrets
      .filter(({ name }) => !isMade(name, wish))
      .map((secret) => `need ${secretWords(configuration, secret)}`),
    ...(wish.noApproval
      ? promoted.flatMap(([name]) =>
          unguardedLines(githubEnvironment(configuration, name)),
        )
      : []),
    ...promoted.flatMap(([name, profile]) => {
      const ids = reviewersOf(profile).map((reviewer) => ({
        type: reviewer.includes("/") ? "Team" : "User",
        variable: `reviewer_${all.indexOf(reviewer)}`,
      }));
      return protectLines(configuration, name, profile, ids, wish);
    }),
    ...profiles
      .filter(([name]) => !isPromoted(configuration, name))
      .flatMap(([name]) => [
        `echo ${quoted(`${githubEnvironment(configuration, name)}: open to every branch, without approval`)}`,
        `everybody ${githubEnvironment(configuration, name)}`,
      ]),
    ...secrets.map((secret) => {
      const renew = wish.renew.includes(secret.name) ? "renew" : "keep";
      const made = isMade(secret.name, wish) ? "made" : "asked";
      return `secret ${secretWords(configuration, secret)} ${renew} ${made}`;
    }),
    wish.noApproval
      ? "variable PROD_APPROVAL none"
      : "no_variable PROD_APPROVAL",
    `variable ${variable} on`,
    `echo ${quoted(`Done. Now: bun run {{script_prefix}}environments check`)}`,
    ")",
  ];
  return `${lines.join("\n")}\n`;
}

/** The environment and name of a secret, and the variable that may hold it, as words of the script. */
function secretWords(configuration: Config, secret: Secret): string {
  const environment = githubEnvironment(configuration, secret.profile);
  const variable = variableOf(secret);
  return `${environment} ${secret.name} ${variable} "\${${variable}:-}"`;
}

/** What the script's lines call. No exclamation mark may stand here: at a prompt it means history. */
const PRELUDE = String.raw`
has() {
  said=$(gh api --silent "$1" 2>&1) && return 0
  case $said in *"HTTP 404"*) return 1 ;; esac
  echo "$said" >&2
  exit 1
}
rule() {
  if has "$api/environments/$1"; then gh api "$api/environments/$1" --jq "$2"; else echo "$3"; fi
}
need() {
  [ -n "$4" ] || [ -t 0 ] || has "$api/environments/$1/secrets/$2" || {
    echo "no value for $3: set the variable" >&2
    exit 1
  }
}
only() {
  policies="$api/environments/$1/deployment-branch-policies"
  shift
  found=$(gh api "$policies?per_page=100" --jq '.branch_policies[] | "\(.id) \(.type // "branch"):\(.name)"')
  echo "$found" | while read -r id policy; do
    [ -n "$id" ] || continue
    case " $* " in *" $policy "*) ;; *) gh api --silent --method DELETE "$policies/$id" </dev/null ;; esac
  done
  for policy in "$@"; do
    echo "$found" | cut -d " " -f 2 | grep -Fqx "$policy" ||
      gh api --silent --method POST "$policies" -f "name=${"$"}{policy#branch:}" -f type=branch
  done
}
everybody() {
  rules=$(rule "$1" '[.protection_rules[]? | select(.type == "required_reviewers" or .type == "wait_timer")] | length' 0)
  body='{"deployment_branch_policy": null}'
  [ "$rules" = 0 ] || body='{"reviewers": null, "prevent_self_review": false, "wait_timer": 0, "deployment_branch_policy": null}'
  echo "$body" | gh api --silent --method PUT "$api/environments/$1" --input -
}
secret() {
  if [ "$5" = keep ] && has "$api/environments/$1/secrets/$2"; then
    echo "$1: secret $2 is there"
  elif [ -n "$4" ]; then
    printf %s "$4" | gh secret set "$2" --env "$1" --repo "$repository"
  elif [ "$6" = made ]; then
    od -An -tx1 -N32 /dev/urandom | tr -d ' 
' | gh secret set "$2" --env "$1" --repo "$repository"
  else
    gh secret set "$2" --env "$1" --repo "$repository"
  fi
}
variable() {
  if has "$api/actions/variables/$1"; then
    gh api --silent --method PATCH "$api/actions/variables/$1" -f "name=$1" -f "value=$2"
  else
    gh api --silent --method POST "$api/actions/variables" -f "name=$1" -f "value=$2"
  fi
}
no_variable() {
  if has "$api/actions/variables/$1"; then gh api --silent --method DELETE "$api/actions/variables/$1"; fi
}`
  .trim()
  .split("\n");

/** The lines that stop where nobody shall approve from now on, and somebody does: the rules below would drop that. */
const unguardedLines = (environment: string): string[] => [
  `[ "$(rule ${environment} '[.protection_rules[]? | select(.type == "required_reviewers")] | length' 0)" = 0 ] || {`,
  `  echo "${environment} has reviewers, and PROD_APPROVAL=none would drop them" >&2`,
  "  exit 1",
  "}",
];

/** The lines that protect one environment. What nobody asks about stays as somebody set it on GitHub. */
function protectLines(
  configuration: Config,
  name: string,
  profile: Profile,
  reviewers: { type: string; variable: string }[],
  wish: Wish,
): string[] {
  const environment = githubEnvironment(configuration, name);
  const asked = { ...profile, ...wish.rules };
  const rule = (type: string, field: string, none: string) =>
    `$(rule ${environment} ${quoted(`[.protection_rules[]? | select(.type == "${type}") | .${field}] | first // ${none}`)} ${none})`;
  const wait = asked.waitMinutes ?? rule("wait_timer", "wait_timer", "0");
  const self =
    asked.preventSelfReview ??
    rule("required_reviewers", "prevent_self_review", "false");
  const list = reviewers.map(
    (reviewer) => `{"type": "${reviewer.type}", "id": $${reviewer.variable}}`,
  );
  const approval = wish.noApproval
    ? asked.waitMinutes
      ? `"wait_timer": ${asked.waitMinutes}, `
      : ""
    : `"reviewers": [${list.join(", ")}], "prevent_self_review": $self, "wait_timer": $wait, `;
  const branches = branchesOf(profile);
  return [
    `echo ${quoted(`${environment}: ${wish.noApproval ? "no approval" : "approval"}, from ${branches.join(", ")} only`)}`,
    ...(wish.noApproval ? [] : [`wait=${wait}`, `self=${self}`]),
    `gh api --silent --method PUT "$api/environments/${environment}" --input - <<BODY`,
    `{${approval}"deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true}}`,
    "BODY",
    `only ${environment} ${branches.map((branch) => quoted(`branch:${branch}`)).join(" ")}`,
  ];
}

// --- the command -----------------------------------------------------------------------------------------------------

/** github.com, or the host of an Enterprise server: https://ghe.example.com/api/v3, https://api.acme.ghe.com. */
function hostOf(apiUrl: string | undefined): string {
  if (apiUrl === undefined) return "github.com";
  return new URL(apiUrl).hostname.replace(/^api\./, "");
}

/** The address of the API, from GITHUB_API_URL. */
function apiUrlOf({ GITHUB_API_URL: given }: Variables): string | undefined {
  if (!given) return undefined;
  const url = URL.parse(given);
  const local = ["127.0.0.1", "localhost", "[::1]"];
  if (!url || (url.protocol !== "https:" && !local.includes(url.hostname))) {
    throw new UsageError(
      "GITHUB_API_URL must be an https address, like https://ghe.example.com/api/v3",
    );
  }
  return given.replace(/\/+$/, "");
}

function tokenOf(env: Variables, host: string): string {
  const given = env.GITHUB_TOKEN || env.GH_TOKEN;
  if (given) return given;
  try {
    const found = execFileSync("gh", ["auth", "token", "--hostname", host], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    if (found) return found;
  } catch {
    // No such program, or nobody is signed in.
  }
  throw new UsageError(
    "no GitHub token: run `gh auth login`, or set GITHUB_TOKEN to one that may administer the repository",
  );
}

function repositoryFor(configuration: Config, env: Variables): string {
  const repository = repositoryOf(configuration, env);
  if (repository === undefined) {
    throw new UsageError(
      'which repository? Add `repository: "owner/name"` to alchemy.config.ts, or an `origin` remote on GitHub',
    );
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw new UsageError(`"${repository}" is no repository: owner/name`);
  }
  return repository;
}

interface Options extends Wish {
  command: "plan" | "apply" | "check";
  json: boolean;
  print: boolean;
  yes: boolean;
  keep: boolean;
  stdin: boolean;
}

/** Which command takes an option; the others are for all. */
const COMMANDS_OF: Record<string, string[]> = {
  renew: ["plan", "apply"],
  print: ["plan", "apply"],
  stdin: ["apply"],
  keep: ["apply"],
  yes: ["apply"],
  json: ["plan", "check"],
};

/** Reads the command line. Nothing of it is repeated in an error where a secret may have slipped in. */
export function optionsOf(
  argv: readonly string[],
  env: Variables,
  configuration: Config,
): Options {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    allowNegative: true,
    options: {
      reviewer: { type: "string", multiple: true },
      "prevent-self-review": { type: "boolean" },
      "wait-timer": { type: "string" },
      renew: { type: "string", multiple: true, default: [] },
      print: { type: "boolean", default: false },
      stdin: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      "shared-account": { type: "boolean", default: false },
    },
  });
  const [command, ...rest] = positionals;
  if (command !== "plan" && command !== "apply" && command !== "check") {
    throw new UsageError(
      "which one: `bun run {{script_prefix}}environments plan`, `apply` or `check`? --help says more",
    );
  }
  if (rest.length > 0) {
    throw new UsageError(
      `\`${command}\` takes options only; secrets never stand on a command line`,
    );
  }
  for (const [option, commands] of Object.entries(COMMANDS_OF)) {
    const given = values[option as keyof typeof values];
    const set = Array.isArray(given) ? given.length > 0 : given === true;
    if (set && !commands.includes(command)) {
      throw new UsageError(`--${option} is for ${commands.join(" and ")}`);
    }
  }
  return {
    command,
    rules: rulesAsked(values),
    renew: renewed(values.renew, configuration),
    noApproval: withoutApproval(env, configuration, values.reviewer),
    sharedAccount: values["shared-account"],
    json: values.json,
    print: values.print,
    yes: values.yes,
    keep: values.keep,
    stdin: values.stdin,
  };
}

function rulesAsked(values: {
  reviewer?: string[] | undefined;
  "prevent-self-review"?: boolean | undefined;
  "wait-timer"?: string | undefined;
}): Wish["rules"] {
  const { reviewer: reviewers } = values;
  const preventSelfReview = values["prevent-self-review"];
  const timer = values["wait-timer"];
  if (timer !== undefined && !/^\d{1,6}$/.test(timer)) {
    throw new UsageError("--wait-timer takes a number of minutes");
  }
  const rules = {
    ...(reviewers !== undefined && { reviewers }),
    ...(preventSelfReview !== undefined && { preventSelfReview }),
    ...(timer !== undefined && { waitMinutes: Number(timer) }),
  };
  const wrong = checkRules(rules);
  if (wrong !== undefined) throw new UsageError(`the command line ${wrong}`);
  return rules;
}

function renewed(names: string[], configuration: Config): string[] {
  const known = new Set(
    Object.values(configuration.profiles).flatMap(secretsOf),
  );
  if (names.some((name) => !known.has(name))) {
    throw new UsageError(
      `--renew takes the name of a secret: ${[...known].join(", ")}`,
    );
  }
  return names;
}

function withoutApproval(
  { PROD_APPROVAL: said }: Variables,
  configuration: Config,
  reviewers: string[] | undefined,
): boolean {
  if (!said) return false;
  if (said !== "none") {
    throw new UsageError("PROD_APPROVAL is none, or not set");
  }
  const named = Object.values(configuration.profiles).some((p) => p.reviewers);
  if (reviewers !== undefined || named) {
    throw new UsageError(
      "PROD_APPROVAL=none says that nobody approves, but reviewers are named",
    );
  }
  return true;
}

/** What a person reads. */
export function table(
  repository: string,
  configuration: Config,
  settings: readonly Setting[],
): string {
  const lines = [`${repository}\n`];
  const places = Object.entries(configuration.profiles).map(
    ([name, { domain }]) => ({
      environment: githubEnvironment(configuration, name),
      head: domain ? `https://${domain}` : "on workers.dev",
    }),
  );
  const width = Math.max(...settings.map(lengthOf));
  const add = (environment: string | undefined, head: string) => {
    const own = settings.filter(
      (s) => s.environment === environment && s.state !== "problem",
    );
    if (own.length === 0) return;
    lines.push(head);
    for (const setting of own) {
      const name = setting.name.padEnd(width);
      const state = MARKS[setting.state];
      lines.push(`  ${state}  ${name}  ${contrast(setting)}`.trimEnd());
    }
    lines.push("");
  };
  for (const { environment, head } of places) {
    add(environment, `${environment}, ${head}`);
  }
  add(undefined, "the repository");
  for (const { name, state } of settings) {
    if (state === "problem") lines.push(`problem: ${name}\n`);
  }
  return lines.join("\n");
}

const MARKS = {
  ok: "ok     ",
  missing: "missing",
  differs: "differs",
  hidden: "hidden ",
  problem: "problem",
} satisfies Record<State, string>;

const lengthOf = ({ name, state }: Setting): number =>
  state === "problem" ? 0 : name.length;

function contrast({ state, now, wanted }: Setting): string {
  switch (state) {
    case "hidden":
      return "not visible to this token";
    case "differs":
      return `${now} → ${wanted ?? "not set"}`;
    case "missing":
      return `→ ${wanted}`;
    default:
      return now ?? "";
  }
}

const isDrift = ({ state }: Setting): boolean =>
  state !== "ok" && state !== "hidden";

const count = (number: number, what: string): string =>
  `${number} ${what}${number === 1 ? "" : "s"}`;

/** The whole of a check for a program, of this version of its form. */
const json = (repository: string, settings: readonly Setting[]): string =>
  JSON.stringify(
    {
      version: 1,
      repository,
      ok: !settings.some(isDrift),
      settings: settings.map(({ environment, ...rest }) => ({
        environment: environment ?? null,
        ...rest,
      })),
    },
    null,
    2,
  );

/** Values that no error may repeat. */
const confidential = new Set<string>();

async function main(argv: readonly string[], env: Variables): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const configuration = validateConfig(config);
  const options = optionsOf(argv, env, configuration);
  if (options.stdin && process.stdin.isTTY) {
    throw new UsageError("--stdin is for a pipe or a file, not for a terminal");
  }
  const repository = repositoryFor(configuration, env);
  const apiUrl = apiUrlOf(env);
  if (options.print) {
    checkPrintable(configuration, options);
    process.stdout.write(script(repository, apiUrl, configuration, options));
    return 0;
  }
  const token = tokenOf(env, hostOf(apiUrl));
  confidential.add(token);
  const github = new GitHub(repository, token, apiUrl);
  const found = await survey(github, configuration, options);
  const { settings, changes } = found;
  if (options.json) console.log(json(repository, settings));
  else console.log(table(repository, configuration, settings));

  if (options.command === "apply") {
    return apply(github, configuration, options, found, env);
  }
  const drift = settings.filter(isDrift).length;
  if (!options.json) {
    const hidden = settings.some(({ state }) => state === "hidden");
    const all = hidden ? "What this token may see is" : "All";
    if (drift === 0) console.log(`${all} as alchemy.config.ts asks for.`);
    else if (changes.length === 0)
      console.log("Nothing that apply can change.");
    else {
      console.log(
        `${count(changes.length, "change")} to make: ${applyLine(argv, options)}`,
      );
    }
  }
  return options.command === "check" && drift > 0 ? 1 : 0;
}

/** The command that makes what this one found. */
const applyLine = (argv: readonly string[], { command }: Options): string =>
  [
    "bun run {{script_prefix}}environments apply",
    ...argv
      .filter((word) => ![command, "--json", "--shared-account"].includes(word))
      .map(quoted),
  ].join(" ");

/** A script cannot ask GitHub who wrote it. */
function checkPrintable(configuration: Config, options: Options): void {
  if (options.noApproval || options.rules.reviewers) return;
  for (const [name, { reviewers }] of Object.entries(configuration.profiles)) {
    if (!isPromoted(configuration, name) || reviewers) continue;
    throw new UsageError(
      "--print needs to know who approves: add --reviewer NAME, or `reviewers` to alchemy.config.ts",
    );
  }
}

async function apply(
  github: GitHub,
  configuration: Config,
  options: Options,
  { changes, obstacle }: Survey,
  env: Variables,
): Promise<number> {
  if (obstacle !== undefined) throw obstacle;
  if (changes.length === 0) {
    console.log("Nothing to change.");
    return 0;
  }
  console.log(`${count(changes.length, "change")} to make:`);
  for (const { title } of changes) console.log(`  ${title}`);
  await confirm(github, options);
  const { values, made } = await collect(configuration, options, changes, env);
  for (const { title, needs, mend } of changes) {
    const value = (needs && values.get(needs)) ?? "";
    if (needs && options.keep && made.includes(needs)) keep(needs, value);
    await mend(value).catch((error: unknown) => stopAt(title, error));
    console.log(`  done: ${title}`);
  }
  for (const { profile, name } of made) {
    console.log(
      options.keep
        ? `${name} of ${profile} was made and stands in .env.${profile}: store a copy in your password manager.`
        : `${name} of ${profile} was made; only GitHub has it. A laptop that deploys ${profile} needs it, too: docs/PROMOTION.md.`,
    );
  }
  return confirmApplied(github, configuration, options);
}

async function confirm(github: GitHub, options: Options): Promise<void> {
  if (options.yes) return;
  if (!process.stdin.isTTY) {
    throw new UsageError(
      "nobody is there to ask: add --yes. Nothing was changed.",
    );
  }
  const answer = await question(`Change ${github.repository}? (y/N) `, false);
  if (!/^y(es)?$/i.test(answer)) throw new Refusal("Nothing was changed.");
}

/** Everything that could be wrong with the values is found before the first change. */
async function collect(
  configuration: Config,
  options: Options,
  changes: readonly Change[],
  env: Variables,
) {
  const needed = changes.flatMap(({ needs }) => needs ?? []);
  if (needed.length > 0) await libsodium();
  const input = options.stdin ? await readInput(configuration) : {};
  const found = await valuesOf(needed, {
    env,
    input,
    file: (profile) => readVariables(`.env.${profile}`),
    makes: ({ name }) => isMade(name, options),
    ask: process.stdin.isTTY ? askHidden : undefined,
  });
  for (const value of found.values.values()) confidential.add(value);
  if (options.keep) {
    for (const { profile } of found.made) checkIgnored(profile);
  }
  const shared = sharedTokens(found.values);
  if (shared !== undefined) console.warn(`problem: ${shared}`);
  return found;
}

/** Says how far it came, and that repeating it is safe. */
function stopAt(title: string, error: unknown): never {
  if (error instanceof GitHubError || error instanceof Refusal) {
    error.message = `${error.message}\nStopped at “${title}”. What was done before it stays; run the same command again to go on.`;
  }
  throw error;
}

/** Looks whether GitHub has become what was asked for. */
async function confirmApplied(
  github: GitHub,
  configuration: Config,
  options: Options,
): Promise<number> {
  const { settings } = await survey(github, configuration, {
    ...options,
    renew: [],
  });
  const left = settings.filter(
    (setting) => isDrift(setting) && setting.state !== "problem",
  );
  if (left.length === 0) {
    for (const { name, state } of settings) {
      if (state === "problem") console.warn(`problem: ${name}`);
    }
    console.log("Done: a push to main is deployed from now on.");
    return 0;
  }
  throw new Refusal(
    `GitHub took every change, yet differs: ${left.map(({ environment, name }) => [environment, name].filter(Boolean).join(" ")).join(", ")}. Run \`bun run {{script_prefix}}environments plan\`.`,
  );
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
    process.exitCode = await main(process.argv.slice(2), process.env);
  } catch (error) {
    process.exitCode = reportError(redact(error));
  }
}
