/** What the command line and the environment of `environments` say. */
import { parseArgs } from "node:util";
import { printed, repositoryOf } from "./checkout.ts";
import {
  type Config,
  UsageError,
  type Variables,
  misuse,
  secretsOf,
} from "./config.ts";
import { GitHub } from "./github.ts";
import { problemsOfRules } from "./validate.ts";
import { type Wish } from "./view.ts";

export interface Options extends Wish {
  command: "plan" | "apply" | "check";
  json: boolean;
  yes: boolean;
  keep: boolean;
  stdin: boolean;
}

/** GitHub, with a token that may administer the repository. */
export function clientFor(config: Config, env: Variables) {
  const repository = repositoryOf(config, env);
  if (repository === undefined)
    throw misuse`which repository? Add \`repository: "owner/name"\` to alchemy.config.ts, or an \`origin\` remote on GitHub`;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw misuse`"${repository}" is not a repository: owner/name`;
  const url = apiUrlOf(env);
  // An Enterprise server, too, has its own token: https://ghe.example.com/api/v3, https://api.acme.ghe.com.
  const host = url ? new URL(url).hostname.replace(/^api\./, "") : "github.com";
  const given = env.GITHUB_TOKEN || env.GH_TOKEN;
  const token = given || printed("gh", "auth", "token", "--hostname", host);
  if (token) return { github: new GitHub(repository, token, url), token };
  throw misuse`no GitHub token: run \`gh auth login\`, or set GITHUB_TOKEN to one that may administer the repository`;
}

function apiUrlOf({ GITHUB_API_URL: given }: Variables): string | undefined {
  if (!given) return undefined;
  const url = URL.parse(given);
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(
    url?.hostname ?? "",
  );
  if (url?.protocol === "https:" || local) return given.replace(/\/+$/, "");
  throw misuse`GITHUB_API_URL must be an https address, like https://ghe.example.com/api/v3`;
}

const FLAG = { type: "boolean", default: false } as const;

/** Which command takes an option; the others are for all. */
const COMMANDS_OF: Record<string, string[]> = {
  renew: ["plan", "apply"],
  stdin: ["apply"],
  keep: ["apply"],
  yes: ["apply"],
  json: ["plan", "check"],
};

/** Reads the command line. Nothing of it is repeated in an error where a secret may have slipped in. */
export function optionsOf(
  argv: readonly string[],
  env: Variables,
  config: Config,
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
      stdin: FLAG,
      keep: FLAG,
      yes: FLAG,
      json: FLAG,
      "shared-account": FLAG,
    },
  });
  const [command, surplus] = positionals;
  if (command !== "plan" && command !== "apply" && command !== "check")
    throw misuse`which one: \`bun run environments plan\`, \`apply\` or \`check\`? --help says more`;
  if (surplus !== undefined)
    throw misuse`\`${command}\` takes options only; secrets never stand on a command line`;
  const { reviewer: reviewers, renew, stdin, keep, yes, json } = values;
  const preventSelfReview = values["prevent-self-review"];
  const timer = values["wait-timer"];
  const waitMinutes = /^\d{1,6}$/.test(timer ?? "") ? Number(timer) : NaN;
  const options: Options = {
    command,
    rules: {
      ...(reviewers !== undefined && { reviewers }),
      ...(preventSelfReview !== undefined && { preventSelfReview }),
      ...(timer !== undefined && { waitMinutes }),
    },
    renew,
    noApproval: env.PROD_APPROVAL === "none",
    sharedAccount: values["shared-account"],
    json,
    yes,
    keep,
    stdin,
  };
  for (const problem of problemsOf(options, env, config))
    throw new UsageError(problem);
  return options;
}

function* problemsOf(
  options: Options,
  { PROD_APPROVAL: approval }: Variables,
  { profiles }: Config,
): Generator<string> {
  const { command, rules, renew } = options;
  const given = { ...options, renew: renew.length > 0 };
  for (const [option, commands] of Object.entries(COMMANDS_OF)) {
    if (commands.includes(command) || !given[option as keyof Options]) continue;
    yield `--${option} is for ${commands.join(" and ")}`;
  }
  if (Number.isNaN(rules.waitMinutes))
    yield "--wait-timer takes a number of minutes";
  for (const problem of problemsOfRules(rules))
    yield `the command line ${problem}`;
  const all = Object.values(profiles);
  const secrets = new Set(all.flatMap(secretsOf));
  if (renew.some((name) => !secrets.has(name))) {
    yield `--renew takes the name of a secret: ${[...secrets].join(", ")}`;
  }
  if (approval && approval !== "none")
    yield "PROD_APPROVAL is none, or not set";
  if (approval && (rules.reviewers ?? all.find(({ reviewers }) => reviewers))) {
    yield "PROD_APPROVAL=none says that nobody approves, but reviewers are named";
  }
}
