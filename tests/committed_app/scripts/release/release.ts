/**
 * A release: where users are, the new version is uploaded, verified on the real domain while it gets no request of
 * theirs, and only then switched to. Whatever fails or stops it, the release before is live again.
 */
import {
  type Deployment,
  type Release,
  type Share,
  authorOf,
  isSecretChange,
  isSplit,
  majority,
  sameShares,
} from "./cloudflare.ts";
import { healthPath, isPromoted, refusal } from "./config.ts";
import { BROUGHT_BACK, rollbackCommand } from "./ledger.ts";
import { openRecord } from "./record.ts";
import { type Target, actor } from "./target.ts";
import { messageOf, shortCommit } from "./tell.ts";
import { findObstacle, mustLast, mustPass } from "./verify.ts";

/** A release that is under way. */
interface Attempt {
  target: Target;
  commit: string;
  before: Release | undefined;
  stop: AbortSignal;
  /** Once it is known. */
  uploaded?: Release;
}

export async function release(
  target: Target,
  commit: string,
  stop: AbortSignal,
): Promise<void> {
  const { config, env, worker, environment, url, tell } = target;
  const [current] = await worker.deployments();
  if (current && isSplit(current)) {
    const shares = current.versions.map((v) => `${v.percentage} %`).join(", ");
    throw refusal`${worker.name} is in a gradual deployment (${shares}). Finish it, then release: ${rollbackCommand(environment.name, "latest")} gives all requests to the version that has the most.`;
  }
  const before = current && (await worker.release(majority(current)));
  const obstacle =
    before && (await findObstacle(url + healthPath(config), env));
  if (obstacle !== undefined)
    throw refusal`The release check cannot see ${url}: ${obstacle}.`;
  const closeRecord = openRecord(target, "deploy", commit);
  const attempt: Attempt = { target, commit, before, stop };
  try {
    await deployAndVerify(attempt);
  } catch (error) {
    const end = await restore(attempt).catch((failure: unknown) =>
      advice(attempt, failure),
    );
    await closeRecord("failure", messageOf(error));
    throw refusal`${messageOf(error)} ${end}`;
  }
  await closeRecord("success", `verified ${shortCommit(commit)}`);
  tell(`${environment.name} runs \`${shortCommit(commit)}\`: ${url}`);
}

async function deployAndVerify(attempt: Attempt): Promise<void> {
  const { target, commit, before, stop } = attempt;
  const { config, worker, environment } = target;
  const known = new Set(
    before ? (await worker.deployable()).map(({ id }) => id) : [],
  );
  await target.build(
    before !== undefined && isPromoted(config, environment.name),
    stop,
  );
  stop.throwIfAborted();

  const live = await worker.live();
  const switched = live?.commit === commit && !known.has(live.versionId);
  const uploaded = switched ? live : await worker.findCommit(commit);
  if (uploaded?.commit !== commit || known.has(uploaded.versionId))
    throw refusal`The deploy command ended well, but ${worker.name} has no new version of ${shortCommit(commit)}.`;
  attempt.uploaded = uploaded;
  if (!switched && before !== undefined)
    await switchVerified(attempt, before, uploaded);
  await mustPass(target, uploaded, before ? "live" : "first", stop);
  await mustLast(target, uploaded, stop);
}

/** Verifies a version at 0 % of the requests, and gives it all of them. Somebody else's release is never undone by that. */
async function switchVerified(
  { target, commit, stop }: Attempt,
  before: Release,
  uploaded: Release,
): Promise<void> {
  const { worker, tell, env } = target;
  const short = shortCommit(commit);
  const staged: Share[] = [
    { version_id: before.versionId, percentage: 100 },
    { version_id: uploaded.versionId, percentage: 0 },
  ];
  const stage = (force: boolean) =>
    worker.deploy(
      staged,
      `verify ${short} before the switch, by ${actor(env)}`,
      force,
    );
  const alone = () =>
    mustBeAlone(target, commit, ({ versions }) => sameShares(versions, staged));

  await mustBeAlone(target, commit, (newest) => hasMost(newest, before));
  await stage(false).catch((error: unknown) => {
    if (!isSecretChange(error)) throw error;
    tell(
      `A secret changes with \`${short}\`: going back across it asks for --force.`,
    );
    // The version that keeps all requests has them already: to insist changes nothing for users.
    return stage(true);
  });
  await mustPass(target, uploaded, "before the switch", stop).catch(
    async (error: unknown) => {
      if (!stop.aborted) await alone();
      throw error;
    },
  );
  stop.throwIfAborted();
  await alone();
  await worker.switchTo(uploaded, `release ${short} by ${actor(env)}`);
}

const hasMost = ({ versions }: Deployment, { versionId }: Release): boolean =>
  versions.some((v) => v.version_id === versionId && v.percentage > 50);

/** Ends a release that met another one. */
async function mustBeAlone(
  { worker, environment }: Target,
  commit: string,
  expected: (newest: Deployment) => boolean,
): Promise<void> {
  const [newest] = await worker.deployments();
  if (newest !== undefined && expected(newest)) return;
  const who = (newest && authorOf(newest)) || "Somebody";
  throw refusal`${who} deployed to ${environment.name} at the same time: the release of ${shortCommit(commit)} gave way.`;
}

/**
 * Brings the release before back, unless somebody else deployed meanwhile.
 *
 * @returns what is live now, in a sentence
 */
async function restore({ target, commit, before, uploaded }: Attempt) {
  const { worker, env } = target;
  const { name } = target.environment;
  const [current] = await worker.deployments();
  if (current === undefined) return `${name} has no release.`;
  if (before === undefined) {
    return `This was ${name}'s first release: there is none to go back to.`;
  }
  const live = await worker.release(majority(current));
  const old = shortCommit(before.commit);
  const unmet = live.versionId === before.versionId;
  const isOurs = ({ version_id }: Share) => version_id === uploaded?.versionId;
  if (unmet && !current.versions.some(isOurs))
    return `${name} still runs ${old}.`;
  const ours = uploaded
    ? live.versionId === uploaded.versionId
    : live.commit === commit;
  if (!unmet && !ours) {
    return `${name} runs ${shortCommit(live.commit)}, which somebody else deployed meanwhile: nothing was undone.`;
  }
  const message = `${BROUGHT_BACK}${old}: ${shortCommit(commit)} failed, by ${actor(env)}`;
  // By force: the failed release may have changed a secret, and what was live a minute ago is the better choice anyway.
  await worker.switchTo(before, message, true);
  return unmet
    ? `Users never met the new release: ${name} still runs ${old}.`
    : `${name} runs ${old} again.`;
}

/** What to do where Cloudflare did not let the release before come back: it depends on what is live. */
async function advice({ target, before }: Attempt, failure: unknown) {
  const { name } = target.environment;
  const why = messageOf(failure);
  if (before === undefined) return `What ${name} runs is not known: ${why}`;
  const old = shortCommit(before.commit);
  const command = `${rollbackCommand(name, before.versionId)} --force`;
  const [newest] = await target.worker.deployments().catch(() => []);
  if (newest === undefined) {
    return `And what ${name} runs is not known, because Cloudflare does not answer. Run ${command} to have ${old} live.`;
  }
  return hasMost(newest, before)
    ? `Users never met the new release: ${name} still runs ${old}. Nothing needs to be done; the version without requests goes with the next release.`
    : `And ${old} could not be brought back (${why}): run ${command} now.`;
}
