/** The commands of a release, for the workflows and for a laptop alike: see `USAGE`. */
import { parseArgs } from "node:util";
import written from "../../alchemy.config.ts";
import { currentVersion, git } from "./checkout.ts";
import {
  type Config,
  Refusal,
  environmentNamed,
  misuse,
  refusal,
  variablesOf,
} from "./config.ts";
import { type Pass, gate, objection } from "./gate.ts";
import { cancelWaiting, githubFor } from "./github.ts";
import { isReleaseName } from "./ledger.ts";
import { release } from "./release.ts";
import { list, rollback } from "./rollback.ts";
import { environmentUrl, targetNamed } from "./target.ts";
import {
  escapeMarkdown,
  messageOf,
  output,
  reportError,
  shortCommit,
  summary,
} from "./tell.ts";
import { validateConfig } from "./validate.ts";

// A config without `defineConfig` has wider types; validateConfig checks what they leave open.
const config = written as Config;
const { env } = process;

/** How long GitHub may take where a rollback waits for it. */
const PATIENCE_MS = 10_000;

const USAGE = `\
gate <environment> [commit] [--recheck] [--again]   may this commit go there?
release <environment> [commit] [--force]  deploy the working tree, verify it, go back if it fails
rollback [environment] [version]          back to an earlier release, without a build
list [environment]                        the releases of an environment, as \`rollback --list\` shows them
urls                                      where each environment is reached
cancel-waiting <environment>              cancel promotions that wait for approval

gate takes
  --again       also a commit that was rolled back

release, from a laptop, takes
  --force       although the commit is not on main, was never on staging, is older than what is live, was rolled back,
                or the working tree has changes

rollback, which scripts/rollback.sh calls, takes
  environment   prod, if none is given
  version       previous, if none is given; latest-2 and so on, a commit (7 hex digits or more), a Cloudflare version id
  --list        show the releases that can be named, and change nothing
  --dry-run     only say where it would go
  --force       also when a secret changed since that release
  --no-verify   do not check afterwards

Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`;

const FLAG = { type: "boolean", default: false } as const;
const OPTIONS = {
  recheck: FLAG,
  again: FLAG,
  list: FLAG,
  "dry-run": FLAG,
  force: FLAG,
  "no-verify": FLAG,
  help: { ...FLAG, short: "h" },
} as const;

type Flags = Record<keyof typeof OPTIONS, boolean>;
type Command = (
  name: string,
  argument: string | undefined,
  flags: Flags,
) => Promise<void>;

const COMMANDS: Record<string, Command> = {
  gate: async (name, wanted, { recheck, again }) =>
    reportPass(
      name,
      await gate(config, name, { wanted, recheck, again }, env),
      recheck,
    ),
  release: releaseWorkingTree,
  rollback: rollBack,
  list: async (name) => list(await targetNamed(config, name, env)),
  urls,
  "cancel-waiting": cancelPromotions,
};
/** Without the name of an environment these mean prod. */
const NAMELESS = ["rollback", "list", "urls"];

/** Tells the workflow which commit it may deploy, and the reviewer what that means. */
function reportPass(name: string, pass: Pass, recheck: boolean): void {
  const { commit, live, commits, warnings, superseded } = pass;
  output("sha", commit);
  output("short", shortCommit(commit));
  if (recheck)
    return summary(`\`${shortCommit(commit)}\` may still go to ${name}.`);
  const added = commits?.map((line) => `- ${escapeMarkdown(line)}`).join("\n");
  summary(
    `### ${name} ← \`${shortCommit(commit)}\``,
    `Live now: ${live ? `\`${shortCommit(live)}\`` : "nothing, or nothing that tells its commit to everybody"}.`,
    ...warnings.map((warning) => `> [!WARNING]\n> ${warning}`),
    ...(commits ? [`What this adds (${commits.length}):`, added ?? ""] : []),
    ...superseded.map(
      (id) =>
        `Run ${id}, which waited for approval, is superseded by this one.`,
    ),
  );
}

async function releaseWorkingTree(
  name: string,
  wanted: string | undefined,
  { force }: Flags,
) {
  const commit = wanted || currentVersion(env);
  const head = git("rev-parse", "HEAD");
  // A release in the workflow names its commit: what is built must be just that.
  if (/^[0-9a-f]{40}$/.test(commit) && head !== undefined && head !== commit)
    throw misuse`the working tree is ${shortCommit(head)}, not ${shortCommit(commit)}`;
  const target = await targetNamed(config, name, {
    ...env,
    APP_VERSION: commit,
  });
  const against = env.GITHUB_ACTIONS
    ? undefined
    : await objection(target, commit, env);
  if (against !== undefined && !force)
    throw refusal`Not released: ${against}. With --force it is released all the same.`;
  await release(target, commit, stopSignal());
}

/** GitHub cancels with SIGINT and kills ten seconds later: time enough to switch back. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () =>
      controller.abort(new Refusal(`Stopped by ${signal}.`)),
    );
  }
  return controller.signal;
}

async function rollBack(
  name: string,
  version: string | undefined,
  flags: Flags,
) {
  if (!version && isReleaseName(name))
    throw misuse`"${name}" is a release; of which environment? rollback prod ${name}`;
  const target = await targetNamed(config, name, env);
  if (flags.list) return list(target);
  const { force } = flags;
  const options = {
    dryRun: flags["dry-run"],
    force,
    verify: !flags["no-verify"],
  };
  await rollback(target, version ?? "previous", options);
}

async function urls(): Promise<void> {
  for (const name of Object.keys(config.profiles)) {
    const environment = environmentNamed(config, name);
    const place = { config, environment, env: variablesOf(name, env) };
    const url = await environmentUrl(place).catch(messageOf);
    console.log(`${name.padEnd(10)} ${url}`);
  }
}

async function cancelPromotions(name: string): Promise<void> {
  const github = githubFor(config, env)?.within(PATIENCE_MS);
  if (github === undefined) throw misuse`GITHUB_TOKEN is not set`;
  try {
    for (const id of await cancelWaiting(github, config, name)) {
      summary(`Run ${id}, which waited for approval, was cancelled.`);
    }
  } catch (error) {
    // The rollback matters more.
    console.warn(`Promotions that wait stay as they are: ${messageOf(error)}`);
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: OPTIONS,
  });
  if (values.help) return console.log(USAGE);
  const [name = "", given, argument, surplus] = positionals;
  if (surplus !== undefined)
    throw misuse`"${surplus}" is one argument too many`;
  validateConfig(config);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const problem =
      name === "" ? "which command?" : `"${name}" is not a command`;
    throw misuse`${problem}\n\n${USAGE}`;
  }
  const nameless = NAMELESS.includes(name);
  if (!given && !nameless) throw misuse`${name}: which environment?`;
  await command(given ?? "prod", argument, values);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    process.exitCode = reportError(error);
  }
}
