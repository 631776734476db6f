/**
 * Which release is live, and which ones came before. Cloudflare's own list of deployments is the ledger; nothing is kept
 * anywhere else.
 */
import {
  type Release,
  type Worker,
  authorOf,
  majority,
  messageOf,
} from "./cloudflare.ts";
import { misuse, refusal } from "./config.ts";
import { shortCommit } from "./tell.ts";

/** A release, and since when and by whom it is, or was, the live one. */
export interface LiveSince extends Release {
  when: string;
  who: string;
  /** Whether a release that failed brought it back, and nobody decided it. */
  automatic: boolean;
}

/** A line of the ledger. */
export interface LedgerEntry extends LiveSince {
  /** What `rollback` calls it: live, previous, latest-N; or "rolled back", which only its commit or version names. */
  state: string;
}

/** Cloudflare lists a Worker's latest deployments, at least as many as these. */
const LISTED = 10;
/** How many versions are proposed where a name leads too far back. */
const PROPOSED = 10;

/** How the message of a deployment begins that a failed release makes. */
export const BROUGHT_BACK = "back to ";

/** What makes two releases the same one: the commit, as far as it says everything. */
const identity = ({ commit, versionId }: Release): string =>
  /^[0-9a-f]{40}$/.test(commit) ? commit : versionId;

/**
 * Replays releases, oldest first, as a stack: a new one is pushed, and going back to an earlier one pops everything
 * above it. So the release before the live one is never one that was itself rolled back, whoever did that and with
 * which tool.
 */
export function releaseStack<R extends Release>(oldestFirst: readonly R[]) {
  const stack: R[] = [];
  for (const release of oldestFirst) {
    const at = stack.findIndex((s) => identity(s) === identity(release));
    if (at >= 0) stack.length = at;
    stack.push(release);
  }
  return stack;
}

/** What was live, oldest first, as far as Cloudflare still tells. A step that left the majority as it was is none. */
export async function history(worker: Worker): Promise<LiveSince[]> {
  const deployments = (await worker.deployments()).toReversed();
  const past = await Promise.all(
    deployments.map(async (deployment) => ({
      ...(await worker.release(majority(deployment))),
      when: deployment.created_on,
      who: authorOf(deployment),
      automatic: messageOf(deployment).startsWith(BROUGHT_BACK),
    })),
  );
  return past.filter((entry, at) => {
    const before = past[at - 1];
    return before === undefined || identity(before) !== identity(entry);
  });
}

/** Whether somebody left a commit for an earlier release; one that failed and was rolled back at once is not meant. */
export function wasRolledBack(past: readonly LiveSince[], commit: string) {
  if (releaseStack(past).some((release) => release.commit === commit))
    return false;
  const last = past.findLastIndex((entry) => entry.commit === commit);
  return last >= 0 && past[last + 1]?.automatic === false;
}

/** Whether a commit was live and was not rolled back because it failed. */
export const stood = (past: readonly LiveSince[], commit: string): boolean =>
  past.some(
    (entry, at) => entry.commit === commit && past[at + 1]?.automatic !== true,
  );

/** Every release that Cloudflare still tells, once, the one that became live last first. */
export async function ledger(worker: Worker): Promise<LedgerEntry[]> {
  const past = await history(worker);
  const stack = releaseStack(past).toReversed().map(identity);
  const latest = new Map(past.map((entry) => [identity(entry), entry]));
  const stateOf = (entry: Release) => {
    const back = stack.indexOf(identity(entry));
    return ["rolled back", "live", "previous"][back + 1] ?? `latest-${back}`;
  };
  return past
    .filter((entry) => latest.get(identity(entry)) === entry)
    .map((entry) => ({ ...entry, state: stateOf(entry) }))
    .toReversed();
}

/** Whether there may be deployments that Cloudflare does not tell any more. */
export const isCut = async (worker: Worker): Promise<boolean> =>
  (await worker.deployments()).length >= LISTED;

const VERSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const COMMIT = /^[0-9a-f]{7,40}$/;

/** Whether `findRelease` would understand it. */
export const isReleaseName = (text: string): boolean =>
  stepsBack(text) !== undefined || VERSION_ID.test(text) || COMMIT.test(text);

function stepsBack(wanted: string): number | undefined {
  if (wanted === "previous") return 1;
  const match = /^latest(?:-(\d{1,3}))?$/.exec(wanted);
  return match ? Number(match[1] ?? 0) : undefined;
}

/**
 * Finds a release by what a person calls it: previous, latest-N (counted back from the live one), a commit, or a
 * Cloudflare version id.
 */
export async function findRelease(
  worker: Worker,
  environment: string,
  stack: readonly Release[],
  wanted: string,
): Promise<Release> {
  const steps = stepsBack(wanted);
  if (steps !== undefined) {
    return (
      stack.at(-1 - steps) ?? tooFarBack(worker, environment, stack.length - 1)
    );
  }
  if (VERSION_ID.test(wanted)) return worker.release(wanted);
  if (!COMMIT.test(wanted))
    throw misuse`"${wanted}" is not one of: previous, latest-N, a commit (7 to 40 hex digits), a Cloudflare version id`;
  const found = await worker.findCommit(wanted);
  if (found !== undefined) return found;
  throw refusal`No version of ${worker.name} that can still be deployed was built from ${wanted}. docs/PROMOTION.md has the way back without one.`;
}

async function tooFarBack(
  worker: Worker,
  environment: string,
  count: number,
): Promise<never> {
  const earlier = ["no earlier release", "one earlier release"][count];
  const known = `${worker.name} has ${earlier ?? `${count} earlier releases`}`;
  if (!(await isCut(worker))) throw refusal`${known}.`;
  const kept = await proposals(worker, environment);
  throw refusal`${known} among the deployments that Cloudflare still lists. ${kept ? `Name an older one:${kept}` : "It keeps no other version."}`;
}

/** A command for each release that can be gone back to, the newest first; one that only ever failed its check is none. */
export async function proposals(worker: Worker, environment: string) {
  const deployments = await worker.deployments();
  const served = new Set(deployments.map(majority));
  const tried = new Set(
    deployments.flatMap(({ versions }) => versions.map((v) => v.version_id)),
  );
  const live = await worker.live();
  const told = new Set(live && [identity(live)]);
  const lines: string[] = [];
  for (const { id, metadata } of await worker.deployable()) {
    if (lines.length === PROPOSED) break;
    if (tried.has(id) && !served.has(id)) continue;
    const release = await worker.release(id);
    if (told.has(identity(release))) continue;
    told.add(identity(release));
    const when = metadata?.created_on?.slice(0, 10) ?? "";
    const command = rollbackCommand(environment, id);
    lines.push(
      `\n  ${command}  # ${shortCommit(release.commit)} ${when}`.trimEnd(),
    );
  }
  return lines.join("");
}

/** What leads to a version, whatever is live. */
export const rollbackCommand = (environment: string, version: string): string =>
  `./scripts/rollback.sh ${environment} ${version}`;
