{%- if compiler_settings == "app" -%}
// @ts-nocheck The flags in tsconfig.json are the app's.
{% endif -%}
/** The commands of a release, for the workflows and for a laptop alike: see `USAGE`. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import written from "../../alchemy.config.ts";
import {
  Cloudflare,
  CloudflareError,
  type Release,
  SECRET_CHANGED,
  cloudflareFor,
  environmentUrl,
  findRelease,
  isCut,
  isReleaseName,
  isSplit,
  ledger,
  liveRelease,
  majority,
  releases,
} from "./cloudflare.ts";
import {
  type Config,
  type Environment,
  Refusal,
  UsageError,
  type Variables,
  appRoot,
  currentVersion,
  environmentNamed,
  git,
  githubEnvironment,
  healthPath,
  isPromoted,
  thresholdsOf,
  validateConfig,
  variablesOf,
  workerName,
} from "./config.ts";
import {
  DeploymentRecord,
  type GitHub,
  GitHubError,
  type Pass,
  approvers,
  cancelWaiting,
  gate,
  githubFor,
  shortCommit,
} from "./github.ts";
import {
  type Expectation,
  type Pace,
  type Report,
  findObstacle,
  paceOf,
  verify,
} from "./verify.ts";

// A config without `defineConfig` has wider types; validateConfig checks what they leave open.
const config = written as Config;

const USAGE = `\
gate <environment> [commit] [--recheck]   may this commit go there?
release <environment> [commit]            deploy the working tree, verify it, go back if it fails
rollback [environment] [version]          back to an earlier release, without a build
list [environment]                        the releases of an environment, as \`rollback --list\` shows them
urls                                      where each environment is reached
cancel-waiting <environment>              cancel promotions that wait for approval

rollback, which scripts/rollback.sh calls, takes
  environment   prod, if none is given
  version       previous, if none is given; latest-2 and so on, a commit (7 hex digits or more), a Cloudflare version id
  --list        show the releases that can be named, and change nothing
  --dry-run     only say where it would go
  --force       also when a secret changed since that release
  --no-verify   do not check afterwards

Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`;

/** One environment, with everything that a command on it needs. */
export interface Target {
  config: Config;
  environment: Environment;
  env: Variables;
  cloudflare: Cloudflare;
  worker: string;
  url: string;
  github: GitHub | undefined;
  pace: (first: boolean) => Pace;
  reportFolder: string;
  /** Where what happens is told; a test listens here. */
  tell: (...paragraphs: string[]) => void;
  /** Builds and uploads the working tree; `uploadOnly` leaves the requests where they are. */
  build: (uploadOnly: boolean, stop: AbortSignal) => Promise<void>;
}

export async function targetNamed(
  configuration: Config,
  name: string,
  variables: Variables,
): Promise<Target> {
  const environment = environmentNamed(configuration, name);
  const env = variablesOf(name, variables);
  return {
    config: configuration,
    environment,
    env,
    cloudflare: cloudflareFor(environment, env),
    worker: workerName(configuration, environment),
    url: await environmentUrl(configuration, environment, env),
    github: githubFor(configuration, env),
    pace: (first) => paceOf(thresholdsOf(environment.profile), first),
    reportFolder: join(appRoot, "release-report"),
    tell: summary,
    build: (uploadOnly, stop) => runDeploy(name, env, uploadOnly, stop),
  };
}

// --- gate ------------------------------------------------------------------------------------------------------------

/** Tells the workflow which commit it may deploy, and the reviewer what that means. */
function reportPass(name: string, pass: Pass, recheck: boolean): void {
  const { commit, live, commits, warnings, superseded } = pass;
  output("sha", commit);
  output("short", shortCommit(commit));
  if (recheck) {
    summary(`\`${shortCommit(commit)}\` may still go to ${name}.`);
    return;
  }
  summary(
    `### ${name} ← \`${shortCommit(commit)}\``,
    `Live now: ${live ? `\`${shortCommit(live)}\`` : "nothing, or nothing that tells its commit to everybody"}.`,
    ...warnings.map((warning) => `> [!WARNING]\n> ${warning}`),
    ...(commits
      ? [
          `What this adds (${commits.length}):`,
          commits.map((line) => `- ${escapeMarkdown(line)}`).join("\n"),
        ]
      : []),
    ...superseded.map(
      (id) =>
        `Run ${id}, which waited for approval, is superseded by this one.`,
    ),
  );
}

// --- release ---------------------------------------------------------------------------------------------------------

/**
 * Deploys the working tree. Where users are, the new version is uploaded, verified on the real domain while it gets no
 * request of theirs, and only then switched to. Whatever fails or stops it, the release before is live again.
 */
export async function release(
  target: Target,
  commit: string,
  stop: AbortSignal,
): Promise<void> {
  const { cloudflare, worker, environment, url, tell } = target;
  const [current] = await cloudflare.deployments(worker);
  if (current && isSplit(current)) {
    throw new Refusal(
      `${worker} is in a gradual deployment (${current.versions.map((v) => `${v.percentage} %`).join(", ")}). Finish it, then release.`,
    );
  }
  const before =
    current && (await cloudflare.release(worker, majority(current)));
  if (before !== undefined) {
    const obstacle = await findObstacle(
      url + healthPath(target.config),
      target.env,
    );
    if (obstacle !== undefined) {
      throw new Refusal(`The release check cannot see ${url}: ${obstacle}.`);
    }
  }
  const record = await openRecord(target, "deploy", commit);
  try {
    await deployAndVerify(target, commit, before, stop);
  } catch (error) {
    const stuck = await restore(target, commit, before).catch(messageOf);
    await record?.close("failure", messageOf(error));
    if (stuck === undefined) throw error;
    throw new Refusal(
      `${messageOf(error)} And ${environment.name} could not be brought back (${stuck}): run scripts/rollback.sh ${environment.name} now.`,
    );
  }
  await record?.close("success", `verified ${shortCommit(commit)}`);
  tell(`${environment.name} runs \`${shortCommit(commit)}\`: ${url}`);
}

async function deployAndVerify(
  target: Target,
  commit: string,
  before: Release | undefined,
  stop: AbortSignal,
): Promise<void> {
  const { cloudflare, worker, environment } = target;
  const withoutExposure =
    before !== undefined && isPromoted(target.config, environment.name);
  const known = new Set(
    before
      ? (await cloudflare.deployableVersions(worker)).map((v) => v.id)
      : [],
  );
  await target.build(withoutExposure, stop);
  stop.throwIfAborted();

  const live = await liveRelease(cloudflare, worker);
  const switched = live !== undefined && !known.has(live.versionId);
  const uploaded = switched
    ? live
    : await cloudflare.findCommit(worker, commit);
  if (
    uploaded === undefined ||
    known.has(uploaded.versionId) ||
    uploaded.commit !== commit
  ) {
    throw new Refusal(
      `The deploy command ended well, but ${worker} has no new version of ${shortCommit(commit)}.`,
    );
  }
  if (!switched && before !== undefined) {
    await cloudflare.deploy(
      worker,
      [
        { version_id: before.versionId, percentage: 100 },
        { version_id: uploaded.versionId, percentage: 0 },
      ],
      `verify ${shortCommit(commit)} before the switch, by ${actor(target.env)}`,
    );
    await mustPass(
      target,
      uploaded,
      { beforeSwitch: true, first: false },
      stop,
    );
    stop.throwIfAborted();
    await cloudflare.deploy(
      worker,
      [{ version_id: uploaded.versionId, percentage: 100 }],
      `release ${shortCommit(commit)} by ${actor(target.env)}`,
    );
  }
  const first = before === undefined;
  await mustPass(target, uploaded, { beforeSwitch: false, first }, stop);
}

/** Brings the release before back, unless somebody else deployed meanwhile. */
async function restore(
  { cloudflare, worker, environment, env, tell }: Target,
  commit: string,
  before: Release | undefined,
): Promise<void> {
  const [current] = await cloudflare.deployments(worker);
  if (current === undefined) return;
  if (before === undefined) {
    tell(
      `This was ${environment.name}'s first release: there is none to go back to.`,
    );
    return;
  }
  const live = await cloudflare.release(worker, majority(current));
  const untouched = live.versionId === before.versionId;
  if (untouched && current.versions.length === 1) {
    tell(`${environment.name} still runs \`${shortCommit(before.commit)}\`.`);
    return;
  }
  if (!untouched && live.commit !== commit) {
    tell(
      `${environment.name} was deployed by somebody else meanwhile: nothing was undone.`,
    );
    return;
  }
  await cloudflare.deploy(
    worker,
    [{ version_id: before.versionId, percentage: 100 }],
    `back to ${shortCommit(before.commit)}: ${shortCommit(commit)} failed, by ${actor(env)}`,
    true, // The failed release may have changed a secret; what was live a minute ago is the better choice anyway.
  );
  tell(
    untouched
      ? `Users never met the new release: ${environment.name} still runs \`${shortCommit(before.commit)}\`.`
      : `${environment.name} runs \`${shortCommit(before.commit)}\` again.`,
  );
}

async function runDeploy(
  name: string,
  env: Variables,
  uploadOnly: boolean,
  stop: AbortSignal,
): Promise<void> {
  const { GITHUB_TOKEN: _, GH_TOKEN: __, ...inherited } = env;
  const child = Bun.spawn(
    [process.execPath, "run", "deploy", "--stage", name],
    {
      cwd: appRoot,
      env: { ...inherited, RELEASE_UPLOAD_ONLY: uploadOnly ? "1" : "0" },
      stdout: "inherit",
      stderr: "inherit",
      signal: stop,
    },
  );
  const code = await child.exited;
  stop.throwIfAborted();
  if (code !== 0)
    throw new Refusal(`The deploy command failed (exit ${code}).`);
}

// --- rollback --------------------------------------------------------------------------------------------------------

export interface RollbackOptions {
  dryRun: boolean;
  force: boolean;
  verify: boolean;
}

/** Switches to an earlier release: one call, no build, no change to data. */
export async function rollback(
  target: Target,
  wanted: string,
  options: RollbackOptions,
): Promise<void> {
  const { cloudflare, worker, environment, tell } = target;
  const [current] = await cloudflare.deployments(worker);
  const stack = await releases(cloudflare, worker);
  const live = stack.at(-1);
  if (current === undefined || live === undefined) {
    throw new Refusal(`${worker} was never deployed.`);
  }
  const goal = await findRelease(cloudflare, worker, stack, wanted);
  tell(`${worker}: ${describe(live)} → ${describe(goal)}`);
  if (goal.versionId === live.versionId && !isSplit(current)) {
    tell("It is live already: nothing to do.");
    return;
  }
  if (options.dryRun) {
    tell("Nothing was changed (--dry-run).");
    return;
  }
  const record = await openRecord(target, "rollback", goal.commit);
  await cloudflare
    .deploy(
      worker,
      [{ version_id: goal.versionId, percentage: 100 }],
      `rollback to ${shortCommit(goal.commit)} by ${actor(target.env)}`,
      options.force,
    )
    .catch(async (error: unknown) => {
      await record?.close("failure", messageOf(error));
      throw explainRefusal(error);
    });
  if (options.verify) {
    try {
      const stop = new AbortController().signal;
      await mustPass(target, goal, { beforeSwitch: false, first: false }, stop);
    } catch (error) {
      await record?.close("failure", messageOf(error));
      throw new Refusal(
        `${environment.name} was switched to ${shortCommit(goal.commit)}, but does not pass: ${messageOf(error)}`,
      );
    }
  }
  await record?.close("success", `rolled back to ${shortCommit(goal.commit)}`);
  tell(
    `### ${environment.name}: \`${shortCommit(live.commit)}\` → \`${shortCommit(goal.commit)}\` (rollback)`,
    ...(contains(goal.commit, live.commit)
      ? []
      : [
          `\`${shortCommit(live.commit)}\` is still on main: revert it there before the next promotion.`,
        ]),
  );
}

/** Whether a commit has another one among its ancestors, as far as this clone knows. */
const contains = (commit: string, ancestor: string): boolean =>
  git("merge-base", "--is-ancestor", ancestor, commit) !== undefined;

function explainRefusal(error: unknown): unknown {
  return error instanceof CloudflareError &&
    error.codes.includes(SECRET_CHANGED)
    ? new Refusal(
        `Cloudflare refuses: a secret changed since that release. With --force it is used all the same. (${error.message})`,
      )
    : error;
}

// --- list, urls ------------------------------------------------------------------------------------------------------

async function list({ cloudflare, worker }: Target): Promise<void> {
  const entries = await ledger(cloudflare, worker);
  if (entries.length === 0) {
    console.log(`${worker} was never deployed.`);
    return;
  }
  const rows = entries.map(({ state, commit, when, who, versionId }) => [
    state,
    shownCommit(commit),
    `${when.slice(0, 16).replace("T", " ")} UTC`,
    who,
    versionId,
  ]);
  console.log(
    table([["state", "commit", "live since", "by", "version"], ...rows]),
  );
  if (await isCut(cloudflare, worker)) {
    console.log(
      "Cloudflare lists no older deployments. An older release is named by its commit or version id.",
    );
  }
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

async function urls(configuration: Config, env: Variables): Promise<void> {
  for (const name of Object.keys(configuration.profiles)) {
    const environment = environmentNamed(configuration, name);
    const url = await environmentUrl(
      configuration,
      environment,
      variablesOf(name, env),
    ).catch((error: unknown) => messageOf(error));
    console.log(`${name.padEnd(10)} ${url}`);
  }
}

const describe = ({ commit, versionId }: Release) =>
  `${shownCommit(commit)} (version ${versionId})`;

const shownCommit = (commit: string) =>
  commit.length > 40 ? `${shortCommit(commit)}-dirty` : shortCommit(commit);

// --- shared ----------------------------------------------------------------------------------------------------------

async function mustPass(
  target: Target,
  release: Release,
  when: { beforeSwitch: boolean; first: boolean },
  stop: AbortSignal,
): Promise<void> {
  const expected: Expectation = {
    url: target.url,
    healthPath: healthPath(target.config),
    environment: target.environment.name,
    worker: target.worker,
    commit: release.commit,
    versionId: release.versionId,
    beforeSwitch: when.beforeSwitch,
  };
  const report = await verify(
    expected,
    thresholdsOf(target.environment.profile),
    target.pace(when.first),
    target.env,
    stop,
  );
  writeReport(target, report);
  if (!report.passed) {
    throw new Refusal(
      `${shortCommit(release.commit)} did not pass the check ${report.stage === "live" ? "on" : "before the switch on"} ${report.url}: ${report.reason}.`,
    );
  }
}

function writeReport(
  { environment, reportFolder, tell }: Target,
  report: Report,
): void {
  mkdirSync(reportFolder, { recursive: true });
  const name = `${environment.name}-${report.stage.replaceAll(" ", "-")}.json`;
  writeFileSync(
    join(reportFolder, name),
    `${JSON.stringify(report, null, 2)}\n`,
  );
  tell(
    [
      "| Release | Check | Requests | Failed | 95 % within | Allowed | Identity |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      `| \`${shortCommit(report.commit)}\` | ${report.stage}: ${report.passed ? "passed" : "**failed**"} | ${report.requests} | ${report.failed} | ${report.measuredP95Ms} ms | ${report.p95Ms} ms, ${report.errorRate * 100} % | ${report.identity} |`,
    ].join("\n"),
  );
}

async function openRecord(
  { config, environment, env, github, url, tell }: Target,
  task: "deploy" | "rollback",
  commit: string,
): Promise<DeploymentRecord | undefined> {
  const run = env.GITHUB_RUN_ID;
  if (github && run) {
    const people = await approvers(github, run).catch(() => []);
    if (people.length > 0) tell(`Approved by ${people.join(", ")}.`);
  }
  return DeploymentRecord.open(github, {
    commit,
    environment: githubEnvironment(config, environment.name),
    task,
    url,
    production: isPromoted(config, environment.name),
    log:
      run &&
      `${env.GITHUB_SERVER_URL ?? "https://github.com"}/${github?.repository}/actions/runs/${run}`,
  });
}

const actor = (env: Variables) => env.GITHUB_ACTOR ?? userInfo().username;

const messageOf = (error: unknown) =>
  error instanceof Error ? error.message : String(error);

const escapeMarkdown = (text: string) =>
  text.replace(/[\\`*_{}[\]<>|#@!]/g, "\\$&");

/** Tells the terminal, and the page of the workflow run. */
function summary(...paragraphs: string[]): void {
  const text = `${paragraphs.join("\n\n")}\n\n`;
  process.stdout.write(text);
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file) appendFileSync(file, text);
}

function output(name: string, value: string): void {
  const file = process.env.GITHUB_OUTPUT;
  if (file) appendFileSync(file, `${name}=${value}\n`);
}

async function main(argv: readonly string[], env: Variables): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      recheck: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      force: { type: "boolean", default: false },
      "no-verify": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const [command, name, argument, surplus] = positionals;
  if (surplus !== undefined) {
    throw new UsageError(`"${surplus}" is one argument too many`);
  }
  const named = () => {
    if (name) return name;
    throw new UsageError(`${command}: which environment?`);
  };
  validateConfig(config);
  switch (command) {
    case "gate":
      reportPass(
        named(),
        await gate(config, named(), argument, values.recheck, env),
        values.recheck,
      );
      return;
    case "release": {
      const commit = argument || currentVersion(env);
      checkWorkingTree(commit);
      const target = await targetNamed(config, named(), {
        ...env,
        APP_VERSION: commit,
      });
      await release(target, commit, stopSignal());
      return;
    }
    case "rollback": {
      if (name && !argument && isReleaseName(name)) {
        throw new UsageError(
          `"${name}" is a release; of which environment? rollback prod ${name}`,
        );
      }
      const target = await targetNamed(config, name ?? "prod", env);
      if (values.list) await list(target);
      else {
        await rollback(target, argument ?? "previous", {
          dryRun: values["dry-run"],
          force: values.force,
          verify: !values["no-verify"],
        });
      }
      return;
    }
    case "list":
      await list(await targetNamed(config, name ?? "prod", env));
      return;
    case "urls":
      await urls(config, env);
      return;
    case "cancel-waiting": {
      const github = githubFor(config, env);
      if (github === undefined) throw new UsageError("GITHUB_TOKEN is not set");
      for (const id of await cancelWaiting(github, config, named())) {
        summary(`Run ${id}, which waited for approval, was cancelled.`);
      }
      return;
    }
    default:
      throw new UsageError(
        `${command === undefined ? "which command?" : `"${command}" is no command`}\n\n${USAGE}`,
      );
  }
}

/** A release in the workflow names its commit: what is built must be just that. */
function checkWorkingTree(commit: string): void {
  const head = git("rev-parse", "HEAD");
  if (/^[0-9a-f]{40}$/.test(commit) && head !== undefined && head !== commit) {
    throw new UsageError(
      `the working tree is ${shortCommit(head)}, not ${shortCommit(commit)}`,
    );
  }
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

/** Tells an error in one line; only a mistake in these scripts shows a stack. */
export function reportError(error: unknown): number {
  const wrongOption =
    (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
  const usage = error instanceof UsageError || wrongOption;
  const expected =
    usage ||
    error instanceof Refusal ||
    error instanceof CloudflareError ||
    error instanceof GitHubError;
  if (!expected) {
    console.error(error);
    return 1;
  }
  const sender =
    error instanceof CloudflareError
      ? "Cloudflare: "
      : error instanceof GitHubError
        ? "GitHub: "
        : "";
  // Of node's advice on unknown options only the first sentence is of use.
  const [said = ""] = wrongOption
    ? messageOf(error).split(". ")
    : [messageOf(error)];
  const text = sender + said + (wrongOption ? "; see --help" : "");
  const line = text.replaceAll("%", "%25").replaceAll("\n", "%0A");
  console.error(process.env.GITHUB_ACTIONS ? `::error::${line}` : text);
  if (process.env.GITHUB_STEP_SUMMARY) summary(`> [!CAUTION]\n> ${text}`);
  return usage ? 2 : 1;
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2), process.env);
  } catch (error) {
    process.exitCode = reportError(error);
  }
}
